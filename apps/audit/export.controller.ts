import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, Req, StreamableFile } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiPropertyOptional,
  IntersectionType,
  PickType,
} from '@nestjs/swagger';
import { IsBooleanString, IsOptional } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { Db } from 'mongodb';
import { SETTINGS } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import { SealLedger } from '../../infra/mongo';
import type { Caller } from '../../packages/auth';
import type { Settings } from '../../packages/config';
import { CommandPipeline } from '../../packages/eventsourcing';
import { CallerOf } from '../shared/authentication';
import { type AnswerLine, LINES, LongAnswers, wantsLines } from '../shared/long-answers';
import { SealKeys } from '../shared/seal-keys';
import { Audited } from './audit-log';
import { EvidenceExport, type ExportResult, type ExportStep } from './export';
import { ReplayParameters, scopeOf } from './replay-answer';

class ClearParameters {
  @ApiPropertyOptional({
    description:
      'Personal data in clear as well, where its keys exist; noted with each person, whose erasure then names the bundle.',
    enum: ['true', 'false'],
  })
  @IsOptional()
  @IsBooleanString()
  personal?: string;
}

class ExportParameters extends IntersectionType(
  PickType(ReplayParameters, ['person', 'team', 'course', 'enrollment', 'attempt', 'auditLog'] as const),
  ClearParameters,
) {}

/** One line of the answer to whoever wants to see how far it is; `bytes` in base64. */
export type ExportLine = AnswerLine<ExportResult, { readonly bytes: string }>;

/** Evidence for somebody who trusts neither this program nor whoever runs it. */
@Controller('v1/audit')
@Audited()
export class ExportController {
  private readonly ledger: SealLedger;

  constructor(
    private readonly store: EventStoreDb,
    private readonly pipeline: CommandPipeline,
    private readonly keys: SealKeys,
    private readonly answers: LongAnswers,
    @Inject(SETTINGS) private readonly settings: Settings,
    db: Db,
  ) {
    this.ledger = new SealLedger(db);
  }

  @Get('export')
  @ApiOperation({
    summary: 'An evidence bundle of one thing or of the tenant: events, hashes, seals, proofs, keys, manifest, report.',
    description:
      'A tar file. It ends when the export itself is sealed, some seconds after it began. With "Accept: application/x-ndjson" the answer is lines: ' +
      '{"progress"}, {"bytes"} of the file in base64, and {"result"} or {"problem"} as the last one.',
  })
  @ApiProduces('application/x-tar', LINES)
  @ApiOkResponse({ description: 'The bundle.', schema: { type: 'string', format: 'binary' } })
  async export(
    @CallerOf() { tenant, sub, roles }: Caller,
    @Query() parameters: ExportParameters,
    @Req() asked: FastifyRequest,
  ): Promise<StreamableFile> {
    const { scope } = scopeOf(tenant, parameters);
    const by = { sub, roles, via: 'http' };
    const request = { tenant, scope, personal: parameters.personal === 'true', by, correlationId: asked.id };
    const anchors = { trusted: this.keys.ring().trusted, kept: await this.ledger.newest(tenant) };
    const { everySeconds } = this.settings.seals;
    const steps = new EvidenceExport(this.store, this.pipeline, request, anchors, everySeconds).run();
    if (wantsLines(asked)) return this.answers.lines(asked, inBase64(steps));
    const file = bytesOf(steps);
    const first = await file.next(); // What fails before it is answered as a problem; what fails later breaks the answer off.
    return new StreamableFile(Readable.from(startingWith(first.value as Buffer, file)), {
      type: 'application/x-tar',
      disposition: `attachment; filename="evidence-${tenant}.tar"`,
    });
  }
}

async function* inBase64(steps: AsyncIterable<ExportStep>): AsyncGenerator<ExportLine> {
  for await (const step of steps) yield 'bytes' in step ? { bytes: step.bytes.toString('base64') } : step;
}

async function* bytesOf(steps: AsyncIterable<ExportStep>): AsyncGenerator<Buffer> {
  for await (const step of steps) if ('bytes' in step) yield step.bytes;
}

async function* startingWith(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
