import { randomUUID } from 'node:crypto';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Warehouse, WarehouseLoader } from '../../../infra/clickhouse';
import type { EventBatch, RecordedEvent, WarehouseMigration } from '../../../packages/eventsourcing';
import { recorded as recordedAs } from '../../../packages/eventsourcing/testing';
import { readMigrations, reportSql } from '../../../projections/clickhouse';
import type { CourseOutcomes } from '../../../projections/expected-reports';
import { sharedClickHouse } from '../clickhouse/shared-engine';

const NOW = '2026-06-01T00:00:00.000Z';
const ALL = 2n ** 63n;
let url: string;
let root: ClickHouseClient;
let clickhouse: ClickHouseClient;
let warehouse: Warehouse;
let database: string;
let next = 0;

beforeAll(async () => {
  url = process.env.ATTEST_TEST_CLICKHOUSE_URL ?? (await sharedClickHouse());
  root = createClient({ url });
});
afterAll(() => root.close());

beforeEach(async () => {
  database = `warehouse_${randomUUID().slice(0, 8)}_${next++}`;
  await root.command({ query: `CREATE DATABASE ${database}` });
  clickhouse = createClient({ url, database });
  warehouse = new Warehouse(clickhouse, reportSql);
});
afterEach(async () => {
  await clickhouse.command({ query: `DROP DATABASE ${database}` });
  await clickhouse.close();
});

/** As the store gives events back: their ids are UUIDs. */
const recorded: typeof recordedAs = (event, where) => ({ ...recordedAs(event, where), id: randomUUID() });

const course = 'safety';
const enrolled = (position: number, person: string): RecordedEvent => {
  const data = { enrollment: person, person, course, reason: { kind: 'manual' }, dueOn: null };
  return recorded({ type: 'LearnerEnrolled', data }, { category: 'enrollment', id: person, position });
};
const completed = (position: number, person: string): RecordedEvent =>
  recorded(
    { type: 'EnrollmentCompleted', data: { enrollment: person, person, course, result: null } },
    { category: 'enrollment', id: person, position, occurredAt: '2026-05-01T00:00:00.000Z' },
  );
const attempted = (position: number, person: string, raw: number | null): RecordedEvent => {
  const grade = raw === null ? null : { raw, min: 0, max: 100, scaled: raw / 100, passed: raw >= 40 };
  const data = { attempt: randomUUID(), person, course, assessment: 'quiz', banked: false, grade };
  return recorded({ type: 'AttemptRecorded', data }, { category: 'attempt', id: data.attempt, position });
};
const batch = (...events: RecordedEvent[]): EventBatch => ({
  events,
  position: events[events.length - 1]!.position,
  caughtUp: true,
});
const [ann, bob] = [randomUUID(), randomUUID()];
const log = [
  enrolled(1, ann),
  enrolled(2, bob),
  attempted(3, ann, 80),
  attempted(4, ann, 20),
  attempted(5, bob, null),
  completed(6, ann),
];
const outcome = {
  course,
  enrolled: 2,
  withdrawn: 0,
  completed: 1,
  failed: 0,
  attempts: 3,
  graded: 2,
  passed: 1,
  meanScore: 50,
};

const start = async (migrations: readonly WarehouseMigration[] = readMigrations()) => {
  const loader = new WarehouseLoader(clickhouse, migrations);
  return { loader, position: await loader.position() };
};
const outcomes = (asOf = NOW, upTo = ALL) =>
  warehouse.report<CourseOutcomes>('course-outcomes', { tenant: 'acme', asOf, upTo });
const scalar = async (query: string): Promise<number> =>
  Number((await (await clickhouse.query({ query, format: 'TabSeparated' })).text()).trim());

describe('the warehouse', () => {
  it('counts what happened', async () => {
    const { loader, position } = await start();
    expect(position).toBeUndefined();
    await loader.apply(batch(...log));
    expect(await outcomes()).toEqual([outcome]);
    expect(await warehouse.freshness()).toEqual({
      position: 6n,
      recordedAt: expect.stringMatching(/^2026-05-01T/) as string,
      changed: 6n,
      peopleChanged: 0n, // by none of these events
    });
  });

  it('counts attempts taken here once they end, as they were last graded, and not when invalidated', async () => {
    const of = () => ({ attempt: randomUUID(), person: ann, course, assessment: 'test' });
    const [open, waiting, late, raised, cheated] = [of(), of(), of(), of(), of()];
    const grade = (raw: number) => ({ raw, min: 0, max: 100, scaled: raw / 100, passed: raw >= 40 });
    let position = 0;
    const happened = (type: string, data: { attempt: string }, occurredAt = '2026-04-01T00:00:00.000Z') =>
      recorded({ type, data }, { category: 'attempt', id: data.attempt, position: ++position, occurredAt });
    await (
      await start()
    ).loader.apply(
      batch(
        ...[open, waiting, late, raised, cheated].map((attempt) => happened('AttemptStarted', attempt)),
        happened('AttemptSubmitted', waiting),
        happened('AnswersGraded', waiting),
        happened('AttemptTimedOut', late),
        happened('AttemptGraded', { ...late, grade: grade(20) } as typeof late),
        happened('AttemptSubmitted', raised),
        happened('AttemptGraded', { ...raised, grade: grade(30) } as typeof raised),
        happened('ScoreOverridden', { ...raised, grade: grade(50) } as typeof raised),
        happened('AttemptSubmitted', cheated),
        happened('AttemptGraded', { ...cheated, grade: grade(90) } as typeof cheated),
        happened('AttemptInvalidated', { ...cheated, reason: 'Copied.' } as typeof cheated, '2026-05-01T00:00:00.000Z'),
      ),
    );
    const counted = { ...outcome, enrolled: 0, completed: 0, attempts: 3, graded: 2, passed: 1, meanScore: 35 };
    expect(await outcomes()).toEqual([counted]);
    const inApril = { attempts: 4, graded: 3, passed: 2, meanScore: 160 / 3 };
    expect(await outcomes('2026-04-30T00:00:00.000Z')).toEqual([{ ...counted, ...inApril }]);
  });

  it('knows only its own tenant', async () => {
    await (await start()).loader.apply(batch(...log));
    expect(await warehouse.report('course-outcomes', { tenant: 'globex', asOf: NOW, upTo: ALL })).toEqual([]);
  });

  it('goes back to an earlier day, and to an earlier place in the log', async () => {
    await (await start()).loader.apply(batch(...log));
    expect(await outcomes('2026-04-01T00:00:00.000Z')).toEqual([{ ...outcome, completed: 0 }]);
    expect(await outcomes(NOW, 3n)).toEqual([{ ...outcome, completed: 0, attempts: 1, graded: 1, meanScore: 80 }]);
  });

  it('changes nothing when a batch comes again, whole or overlapping', async () => {
    const { loader } = await start();
    await loader.apply(batch(...log.slice(0, 4)));
    await loader.apply(batch(...log.slice(0, 4)));
    await loader.apply(batch(...log.slice(2)));
    const again = await start();
    expect(again.position).toBe(6n);
    await again.loader.apply(batch(...log));
    expect(await scalar('SELECT count() = uniqExact(position) FROM events')).toBe(1);
    expect(await scalar('SELECT count() FROM attempt_facts')).toBe(3);
    expect(await outcomes()).toEqual([outcome]);
  });

  it('derives what a crash left underived, also in part', async () => {
    const landingOnly = readMigrations().map((migration) =>
      migration.name.includes('attempt') ? { ...migration, derive: undefined } : migration,
    );
    await (await start(landingOnly)).loader.apply(batch(...log));
    expect(await scalar('SELECT count() FROM attempt_facts')).toBe(0);
    await clickhouse.command({ query: 'TRUNCATE TABLE watermarks' }); // as if it had died before writing it
    await (await start()).loader.backfilled();
    expect(await outcomes()).toEqual([outcome]);
  });

  it('makes what a database lacks, and nothing in one that is whole', async () => {
    const made: string[] = [];
    const watched = new Proxy(clickhouse, {
      get(target, name: keyof ClickHouseClient) {
        if (name !== 'command') return Reflect.get(target, name, target) as unknown;
        return (given: Parameters<ClickHouseClient['command']>[0]) => {
          made.push(...(given.query.match(/(?<=^(CREATE \w+|ALTER TABLE) (IF NOT EXISTS )?)(?!IF)\w+/gm) ?? []));
          return target.command(given);
        };
      },
    });
    const prepared = async (): Promise<string[]> => {
      await new WarehouseLoader(watched, readMigrations()).prepare();
      return made.splice(0);
    };
    const all = await prepared();
    expect(all).toEqual(expect.arrayContaining(['events', 'watermarks', 'activity', 'activity_days', 'table_builds']));
    expect(await prepared()).toEqual([]);
    for (const query of [
      'DROP TABLE team_lines',
      'DROP VIEW activity',
      'ALTER TABLE watermarks DROP COLUMN changed',
      'CREATE TABLE of_somebody_else (position UInt64) ENGINE = Memory',
    ]) {
      await clickhouse.command({ query });
    }
    expect(await prepared()).toEqual(['team_lines', 'activity', 'watermarks']);
    expect(await prepared()).toEqual([]);
    await (await start()).loader.apply(batch(...log));
    expect(await outcomes()).toEqual([outcome]);
  });

  it('gives a new derived table its past', async () => {
    await (await start()).loader.apply(batch(...log));
    const added: WarehouseMigration = {
      name: '900-new',
      create: ['CREATE TABLE IF NOT EXISTS new_facts (position UInt64) ENGINE = MergeTree ORDER BY position'],
      derive:
        'INSERT INTO new_facts SELECT position FROM events WHERE position > {after:UInt64} AND position <= {upTo:UInt64}',
    };
    const { loader } = await start([...readMigrations(), added]);
    await loader.backfilled();
    expect(await scalar('SELECT count() FROM new_facts')).toBe(6);
    await loader.apply(batch(completed(7, bob)));
    expect(await scalar('SELECT count() FROM new_facts')).toBe(7);
  });

  it('parks an event that cannot be made a row, with its reason, and takes its neighbours', async () => {
    const parked: string[] = [];
    const park = ({ position }: RecordedEvent, error: unknown): void =>
      void parked.push(`${position} ${String(error)}`);
    const loader = new WarehouseLoader(clickhouse, readMigrations(), { park });
    await loader.position();
    const dated = (occurredAt: string, event: RecordedEvent): RecordedEvent => {
      return { ...event, metadata: { ...event.metadata, occurredAt } };
    };
    const [never, late] = ['not a time', '+010000-01-01T00:00:00.000Z'];
    await loader.apply(batch(enrolled(1, ann), dated(never, enrolled(2, bob)), dated(late, completed(3, ann))));
    await loader.apply(batch(dated(never, completed(4, bob))));
    await loader.apply(batch(attempted(5, ann, 80)));
    expect(parked).toEqual([
      expect.stringMatching(/^2 RangeError/),
      expect.stringMatching(/^3 RangeError.*four digits/),
      expect.stringMatching(/^4 RangeError/),
    ]);
    expect(
      await scalar('SELECT groupArray(position) = [1, 5] FROM (SELECT position FROM events ORDER BY position)'),
    ).toBe(1);
    expect(await warehouse.position()).toBe(5n);
  });

  it('gives a table that is added while it runs its past, step by step, beside what happens meanwhile', async () => {
    const loader = new WarehouseLoader(clickhouse, readMigrations(), { backfillEvents: 2 });
    await loader.position();
    await loader.apply(batch(...log));
    const added: WarehouseMigration = {
      name: '900-new',
      create: ['CREATE TABLE IF NOT EXISTS new_facts (position UInt64) ENGINE = MergeTree ORDER BY position'],
      derive:
        'INSERT INTO new_facts SELECT position FROM events WHERE position > {after:UInt64} AND position <= {upTo:UInt64}',
    };
    await loader.add(added);
    for (let position = 7; position < 13; position++) {
      await loader.apply(batch(completed(position, bob)));
      // Whatever the new table has by now: nobody is told that it has more, and the others go on.
      const { position: reached } = await warehouse.freshness(['900-new']);
      expect(await scalar('SELECT count() FROM new_facts')).toBeGreaterThanOrEqual(Number(reached));
      expect(await warehouse.position(['002-enrollment-facts'])).toBe(BigInt(position));
    }
    await loader.backfilled();
    expect(await scalar('SELECT count() = uniqExact(position) AND count() = 12 FROM new_facts')).toBe(1);
    expect(await warehouse.position()).toBe(12n);
  });

  it('adds up the same however often and in whatever pieces a range comes again', async () => {
    const { loader } = await start();
    const attempt = (position: number) => attempted(position * 1_500_000, ann, 80);
    await loader.apply(batch(...[1, 2, 3, 4].map(attempt)));
    const added = 'SELECT sum(attempts) FROM activity_days FINAL';
    const [derive] = readMigrations().flatMap(({ name, derive }) => (name === '013-activity-days' ? [derive!] : []));
    for (const [after, upTo] of [
      [0, 6_000_000],
      [3_000_000, 6_000_000],
      [1_500_000, 4_500_000],
      [4_500_000, 6_000_000],
    ]) {
      await clickhouse.command({ query: derive!, query_params: { after, upTo } });
      expect(await scalar(added)).toBe(4);
    }
    await (await start()).loader.apply(batch(...[3, 4, 5].map(attempt)));
    expect(await scalar(added)).toBe(5);
  });

  it('names the events that each table comes from, so that no other event is looked at for it', () => {
    for (const { name, derive, derivesFrom } of readMigrations().filter(({ derive }) => derive)) {
      const named = [...derive!.matchAll(/'([A-Z][a-z]+[A-Z]\w+)'/g)].map(([, type]) => type);
      expect([name, named.filter((type) => !derivesFrom!.includes(type!))]).toEqual([name, []]);
    }
  });

  it('sees a team through its reporting lines', async () => {
    const [top, lead, member] = [randomUUID(), randomUUID(), randomUUID()];
    const hired = (position: number, person: string, manager: string | null, employeeNumber: string): RecordedEvent =>
      recorded(
        { type: 'PersonHired', data: { person, employeeNumber, role: 'staff', orgUnit: 'd001', manager } },
        { category: 'person', id: person, position },
      );
    const placed = (position: number, person: string, manager: string): RecordedEvent =>
      recorded(
        { type: 'ReportingLineChanged', data: { people: [person], manager, reason: { kind: 'hr' } } },
        { category: 'reportinglines', id: 'tree', position },
      );
    const { loader } = await start();
    await loader.apply(
      batch(
        hired(1, top, null, '1'),
        hired(2, lead, top, '2'),
        hired(3, member, lead, '3'),
        enrolled(4, member),
        completed(5, member),
        placed(6, member, top),
        placed(7, lead, top),
        placed(8, member, lead),
      ),
    );
    const team = (manager: string) =>
      warehouse.report<{ managerEmployeeNumber: string }>('team-compliance', {
        tenant: 'acme',
        asOf: NOW,
        upTo: ALL,
        manager,
      });
    const ofLead = {
      manager: lead,
      managerEmployeeNumber: '2',
      members: 1,
      assigned: 1,
      completed: 1,
      failed: 0,
      open: 0,
      overdue: 0,
      dueSoon: 0,
      expiring: 0,
      compliance: 1,
    };
    expect(await team(lead)).toEqual([ofLead]);
    expect((await team(top)).map(({ managerEmployeeNumber }) => managerEmployeeNumber).sort()).toEqual(['1', '2']);
    expect(await team('')).toContainEqual(ofLead);
    expect(await team(member)).toEqual([]);
  });
});
