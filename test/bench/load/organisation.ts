/**
 * An organisation of millions, made inside ClickHouse: the sample of OULAD comes in through the doors, and what the warehouse then holds of it
 * is multiplied, each copy with people, enrollments and attempts of its own, so that scores, courses and attempts per person are
 * spread as they really were. Everybody but the first person reports to somebody, ten to one manager.
 */
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { importOulad } from '../../../apps/attest/import/oulad';
import { AttestClient, type BulkCommand } from '../../../apps/attest/client';
import { SAMPLE_FOLDER } from '../../../apps/attest/sample';
import type { BulkLine } from '../../../apps/shared/bulk-commands';
import { until } from '../../e2e/until';
import type { ServiceName, SplitStack } from '../../split/split-stack';
import { settled } from './settled';

const SAMPLE = join(SAMPLE_FOLDER, 'oulad');
const SLICE = 'slice';
const REPORTS_TO_ONE = 10;
/** Attempts that one statement makes, so that none of them needs much memory. */
const STEP = 500_000;
const PATIENCE = 1_800_000;

export class Organisation {
  private copies = 0;

  private constructor(
    private readonly clickhouse: ClickHouseClient,
    readonly tenant: string,
    private readonly slice: { readonly people: number; readonly attempts: number },
  ) {}

  /** Imports the sample; nobody is in the organisation yet. */
  static async begin(stack: SplitStack, tenant: string): Promise<Organisation> {
    const doors = new Map<ServiceName, AttestClient>();
    for (const service of ['people', 'enrollment', 'assessment'] as const) {
      const token = await stack.token({ sub: 'admin', tenant: SLICE, roles: ['admin'] });
      doors.set(service, new AttestClient(stack.url(service), token));
    }
    await importOulad(oneDoor(doors), SLICE, SAMPLE, () => undefined);
    await settled(stack, SLICE);
    const clickhouse = createClient({
      url: stack.url('clickhouse'),
      request_timeout: PATIENCE,
      log: { level: ClickHouseLogLevel.OFF },
    });
    await clickhouse.command({ query: NUMBERED, query_params: { slice: SLICE } });
    const [slice] = await rowsOf<{ people: number; attempts: number }>(
      clickhouse,
      `SELECT toUInt32(count()) AS people,
        (SELECT toUInt32(uniqExact(attempt)) FROM member_attempts WHERE tenant = '${SLICE}') AS attempts
      FROM numbered`,
    );
    return new Organisation(clickhouse, tenant, slice!);
  }

  get people(): number {
    return this.copies * this.slice.people;
  }

  get attempts(): number {
    return this.copies * this.slice.attempts;
  }

  /** Adds people until there are so many attempts; resolves when ClickHouse has put its parts in order. */
  async grow(attempts: number, report: (step: string) => void): Promise<void> {
    const wanted = Math.ceil(attempts / this.slice.attempts);
    const step = Math.max(1, Math.floor(STEP / this.slice.attempts));
    while (this.copies < wanted) {
      const copies = Math.min(step, wanted - this.copies);
      const query_params = {
        slice: SLICE,
        tenant: this.tenant,
        people: this.slice.people,
        from: this.copies,
        to: this.copies + copies,
      };
      for (const query of MULTIPLY) await this.clickhouse.command({ query, query_params });
      this.copies += copies;
      if (this.copies % (step * 4) === 0) report(`${(this.attempts / 1e6).toFixed(1)} million attempts`);
    }
    await until(async () => {
      const [merging] = await rowsOf<{ merges: number }>(
        this.clickhouse,
        'SELECT toUInt32(count()) AS merges FROM system.merges',
      );
      return merging!.merges === 0;
    }, PATIENCE);
  }

  /** Puts the parts in the order in which they lie after a day: the tables that are read by person force such merges by then. */
  async becomeOld(): Promise<void> {
    const old = await rowsOf<{ name: string }>(
      this.clickhouse,
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%min_age_to_force_merge_seconds%'`,
    );
    for (const { name } of old) await this.clickhouse.command({ query: `OPTIMIZE TABLE ${name} FINAL` });
  }

  /** Ids of managers, spread evenly over all there are: most have a team, some have managers below them. */
  async managers(count: number): Promise<string[]> {
    const managers = Math.floor(this.people / REPORTS_TO_ONE);
    const query = `SELECT toString(${personOf(`toUInt64((number + 0.5) * ${managers} / ${count})`)}) AS person FROM numbers(${count})`;
    return (await rowsOf<{ person: string }>(this.clickhouse, query)).map(({ person }) => person);
  }

  close(): Promise<void> {
    return this.clickhouse.close();
  }
}

/** A UUID that follows from a hash, of version 5 as those of people are. */
function uuidOf(hash: string): string {
  const kept = `bitAnd(reinterpretAsUInt128(${hash}), reinterpretAsUInt128(unhex('FF0FFFFFFFFFFFFFFFFFFFFFFFFFFF3F')))`;
  return `reinterpretAsUUID(bitOr(${kept}, reinterpretAsUInt128(unhex('00500000000000000000000000000080'))))`;
}

function personOf(number: string): string {
  return uuidOf(`sipHash128('person', toUInt64(${number}))`);
}

const NUMBER = 'copy * {people:UInt64} + numbered.ordinal';
const COPIED = `
  FROM (SELECT number AS copy FROM numbers({from:UInt64}, {to:UInt64} - {from:UInt64})) AS copies
  CROSS JOIN (SELECT * FROM __TABLE__ WHERE tenant = {slice:String}) AS slice
  INNER JOIN numbered ON numbered.person = slice.person`;

const NUMBERED = `
  CREATE TABLE numbered ENGINE = Memory AS
  SELECT person, rowNumberInAllBlocks() AS ordinal
  FROM (SELECT DISTINCT person FROM member_facts WHERE tenant = {slice:String} ORDER BY person)`;

const MULTIPLY = [
  `INSERT INTO member_attempts
  SELECT {tenant:String}, ${personOf(NUMBER)}, ${uuidOf('sipHash128(attempt, copy)')},
    course, assessment, type, graded, passed, raw, occurred_at, position
  ${COPIED.replace('__TABLE__', 'member_attempts')}`,
  `INSERT INTO member_facts
  SELECT {tenant:String}, ${personOf(NUMBER)},
    if(enrollment = toUUIDOrZero(''), enrollment, ${uuidOf('sipHash128(enrollment, copy)')}),
    course, type, status, due_on, expires_on,
    if(type = 'ReportingLineChanged' AND ${NUMBER} > 0, ${personOf(`intDiv(${NUMBER} - 1, ${REPORTS_TO_ONE})`)}, NULL),
    org_unit, if(type = 'PersonHired', toString(${NUMBER}), ''), rank, effective_on, occurred_at, position
  ${COPIED.replace('__TABLE__', 'member_facts')}`,
  `INSERT INTO team_lines
  SELECT {tenant:String}, ${personOf(`intDiv(number - 1, ${REPORTS_TO_ONE})`)}, ${personOf('number')}, true, toDateTime64('2012-01-01', 3, 'UTC'), 1
  FROM numbers({from:UInt64} * {people:UInt64}, ({to:UInt64} - {from:UInt64}) * {people:UInt64})
  WHERE number > 0`,
];

async function rowsOf<Row>(clickhouse: ClickHouseClient, query: string): Promise<Row[]> {
  return (await clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>();
}

/** The bulk doors of several services as one: each command goes to the service that takes it, the answers come in order. */
function oneDoor(doors: ReadonlyMap<ServiceName, AttestClient>): Pick<AttestClient, 'bulk'> {
  const serviceOf = (command: string): ServiceName =>
    command === 'hire-person' ? 'people' : command.includes('attempt') ? 'assessment' : 'enrollment';
  return {
    async *bulk(commands: readonly BulkCommand[]): AsyncIterable<BulkLine> {
      const answers: BulkLine[] = [];
      for (const [service, door] of doors) {
        const own = [...commands.entries()].filter(([, { command }]) => serviceOf(command) === service);
        let next = 0;
        if (own.length === 0) continue;
        for await (const line of door.bulk(own.map(([, command]) => command))) answers[own[next++]![0]] = line;
      }
      yield* answers;
    },
  };
}
