import { Controller, Get, Headers, Param, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../packages/auth';
import { canonicalJson } from '../../packages/eventsourcing';
import { describeReport, reportNames } from '../../projections/clickhouse';
import { projectionVersion, reportDigest } from '../../projections/clickhouse/report-digest';
import { CallerOf } from '../shared/authentication';
import { InvalidParameterError, NotFoundError } from '../shared/problems';
import { requireAccessTo, requireTeamSight, seesWholeTenant } from './access';
import { momentOf, ReportParameters } from './query-parameters';
import { ReadSide } from './read-side';
import { ReportBatches } from './report-batches';
import { decodeCursor, encodeCursor } from './report-cursor';
import { type FileFormat, MEDIA_TYPES } from './media-types';
import { exported, formatOf } from './report-formats';

export interface Report<Row> {
  readonly asOf: {
    /** Position of the last event that the report includes. */
    readonly position: string;
    /** When the store recorded that event; null while the warehouse is empty. */
    readonly time: string | null;
    /** The moment in the world that the report is about. */
    readonly effective: string;
  };
  /** Name of the report, and what was asked of it. */
  readonly report: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Digest of the SQL that gave the rows. */
  readonly projection: string;
  readonly rows: readonly Row[];
  /** Cursor of the next page; left out when there is none. */
  readonly next?: string;
  /** Over all of this: `attest audit reproduce` gets the same from the log alone. */
  readonly digest: string;
}

/** Rows of a page of JSON where the caller does not say. */
const PAGE = 10_000;
const NAMES = reportNames();
/** What the SQL of a report says may be asked of it, and the tenant. */
type Asked = { readonly tenant: string } & Readonly<Record<string, string>>;
type Freshness = Report<unknown>['asOf'];
/** What is asked, and who takes their turn for it. */
interface Ask {
  readonly name: string;
  readonly asked: Asked;
  readonly caller: string;
}

/** What several managers may ask alike. */
interface Alike extends Omit<Ask, 'caller'> {
  readonly limit: number;
}

/** Rows of a report as it is at one place in the log. */
interface Page extends Omit<Ask, 'caller'> {
  readonly fresh: Freshness;
  readonly question: object;
  readonly limit: number;
  readonly offset: number;
}

/** Reports from the ClickHouse warehouse: each is one SQL file, and says how fresh it is. */
@ApiTags('reports')
@ApiBearerAuth()
@Controller('v1/reports')
export class ReportsController {
  private readonly batches: ReportBatches<Alike, { fresh: Freshness; found: readonly object[] }>;

  constructor(private readonly readSide: ReadSide) {
    this.batches = new ReportBatches(readSide.queue, (alike, managers) => this.answerSeveral(alike, managers));
  }

  @Get(':report')
  @ApiOperation({
    summary: 'A report, as JSON in pages or whole as a file',
    description: NAMES.map((name) => `- \`${name}\`: ${describeReport(name).says}`).join('\n'),
  })
  @ApiParam({ name: 'report', enum: NAMES })
  @ApiOkResponse({
    description:
      'Files say in the headers `attest-position`, `attest-time` and `attest-effective` what JSON says in `asOf`: how fresh the report is.',
    content: Object.fromEntries(Object.values(MEDIA_TYPES).map((type) => [type, {}])),
  })
  async report(
    @CallerOf() caller: Caller,
    @Param('report') name: string,
    @Query() parameters: ReportParameters,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Report<object> | StreamableFile> {
    await requireTeamSight(this.readSide.db, caller);
    if (!NAMES.includes(name)) throw new NotFoundError(`There is no report ${name}; there are ${NAMES.join(', ')}.`);
    const asked = await this.askedBy(caller, name, parameters);
    const format = formatOf(parameters.format, accept);
    await this.readSide.awaitWarehouse(parameters.minPosition, name);
    const ask = { name, asked, caller: `${caller.tenant}/${caller.sub}` };
    return format === 'json' ? this.page(ask, parameters) : this.file(ask, parameters, format, reply);
  }

  /** What the report is asked, within what the caller may see: managers see the people below them and nobody else. */
  private async askedBy(caller: Caller, name: string, parameters: ReportParameters): Promise<Asked> {
    const { defaults } = describeReport(name);
    const { scope, within, course } = parameters;
    const manager = parameters.manager?.toLowerCase() ?? (seesWholeTenant(caller) ? undefined : caller.sub);
    if (manager) await requireAccessTo(this.readSide.db, caller, manager);
    const given = Object.entries({ manager, scope, within, course }).filter(([, value]) => value !== undefined);
    for (const [parameter] of given) {
      if (!(parameter in defaults)) throw new InvalidParameterError(parameter, `is nothing that ${name} takes`);
    }
    return { tenant: caller.tenant, ...Object.fromEntries(given.map(([key, value]) => [key, String(value)])) };
  }

  private async page({ name, asked, caller }: Ask, parameters: ReportParameters): Promise<Report<object>> {
    const { asOf, knownAt, cursor, limit = PAGE } = parameters;
    const question = { name, asked, asOf: asOf ?? null, knownAt: knownAt ?? null };
    const { manager, ...others } = asked;
    if (manager && describeReport(name).partedBy && !asOf && !knownAt && cursor === undefined) {
      const { fresh, found } = await this.batches.ask({ name, asked: others, limit }, manager);
      return reportOf({ name, asked, fresh, question, limit, offset: 0 }, found);
    }
    const from = cursor === undefined ? undefined : decodeCursor(cursor, question);
    const { fresh, peopleChanged } = await this.freshness(
      name,
      from ? { asOf: from.effective, knownAt: from.position } : parameters,
    );
    const offset = from?.offset ?? 0;
    // Of what is about now, the moment within the same position of the log makes no difference.
    const same = {
      question,
      position: fresh.position,
      effective: from || asOf ? fresh.effective : null,
      limit,
      offset,
    };
    return this.readSide.queue.answer(caller, canonicalJson(same), () =>
      this.answer({ name, asked, fresh, question, limit, offset }, peopleChanged),
    );
  }

  private async answer(page: Page, peopleChanged: bigint | undefined): Promise<Report<object>> {
    const { name, asked, fresh, limit, offset } = page;
    const { position, effective } = fresh;
    // One more than the page, to see whether there is another.
    const query = { ...asked, asOf: effective, upTo: BigInt(position), peopleChanged, limit: limit + 1, offset };
    return reportOf(page, await this.readSide.warehouse.report<object>(name, query));
  }

  /** What several managers ask about now, as of the moment when it is their turn. */
  private async answerSeveral({ name, asked, limit }: Alike, managers: readonly string[]) {
    const effective = new Date().toISOString();
    const { known, answer } = await this.readSide.asFarAsKnown(name, ({ position, peopleChanged }) => {
      const query = { ...asked, asOf: effective, upTo: position, peopleChanged, limit: limit + 1 };
      return this.readSide.warehouse.reportsOf<object>(name, managers, query);
    });
    const fresh = { position: known.position.toString(), time: known.recordedAt, effective };
    return new Map([...answer].map(([manager, found]) => [manager, { fresh, found }]));
  }

  private async file(
    { name, asked, caller }: Ask,
    parameters: ReportParameters,
    format: FileFormat,
    reply: FastifyReply,
  ): Promise<StreamableFile> {
    for (const field of ['limit', 'cursor'] as const) {
      if (parameters[field] !== undefined) throw new InvalidParameterError(field, `is for JSON: a file holds all rows`);
    }
    const { fresh, peopleChanged } = await this.freshness(name, parameters);
    const { position, time, effective } = fresh;
    const query = { ...asked, asOf: effective, upTo: BigInt(position), peopleChanged };
    const leave = await this.readSide.queue.enter(caller);
    const stream = await exported(this.readSide.warehouse, name, query, format).catch((error: unknown) => {
      leave();
      throw error;
    });
    stream.once('close', leave);
    reply.headers({
      'attest-position': position,
      'attest-time': time ?? '',
      'attest-effective': effective,
      'attest-projection': projectionVersion(name),
    });
    const disposition = `attachment; filename="${name}-${effective.slice(0, 10)}.${format}"`;
    return new StreamableFile(stream, { type: MEDIA_TYPES[format], disposition });
  }

  private async freshness(
    name: string,
    { asOf, knownAt }: Pick<ReportParameters, 'asOf' | 'knownAt'>,
  ): Promise<{ fresh: Freshness; peopleChanged: bigint | undefined }> {
    const effective = asOf === undefined ? new Date().toISOString() : momentOf(asOf);
    const { position, recordedAt: time, peopleChanged } = await this.readSide.knownAt(knownAt, name);
    return { fresh: { position: position.toString(), time, effective }, peopleChanged };
  }
}

/** @param found the rows of the page, and one more when there is another page */
function reportOf({ name, asked, fresh, question, limit, offset }: Page, found: readonly object[]): Report<object> {
  const { position, effective } = fresh;
  const isWhole = offset === 0 && found.length <= limit;
  const answer = {
    report: name,
    parameters: isWhole ? asked : { ...asked, limit: String(limit), offset: String(offset) },
    asOf: fresh,
    projection: projectionVersion(name),
    rows: found.slice(0, limit),
  };
  const next =
    found.length > limit ? encodeCursor({ position, effective, offset: offset + limit }, question) : undefined;
  return { ...answer, ...(next && { next }), digest: reportDigest(answer) };
}
