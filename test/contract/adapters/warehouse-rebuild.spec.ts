/** Tables of the warehouse built anew beside those that are read. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import pino from 'pino';
import { type TableBuilds, TableRebuilder, Warehouse, WarehouseLoader } from '../../../infra/clickhouse';
import {
  NoPreviousError,
  OtherVersionError,
  type ReadModelState,
  type RecordedEvent,
  type WarehouseMigration,
} from '../../../packages/eventsourcing';
import { readMigrations, reportSql } from '../../../projections/clickhouse';
import { until } from '../../e2e/until';
import { server, value } from '../clickhouse/harness';
import { batchOf, randomHistory, SMALL } from './random-history';

const log = pino({ level: 'silent' });
const NAME = 'Xanthippe';
/** Of people with a name, which only the landing table may hold. */
const history = randomHistory(3, SMALL).map((event) =>
  event.type === 'PersonHired' ? { ...event, data: { ...event.data, name: { given: NAME, family: NAME } } } : event,
);
/** How many events are there before anything is built. */
const EARLIER = 400;
/** One that two migrations fill, one that is derived from another, and one that counts. */
const CHOSEN = ['attempt_facts', 'team_lines', 'activity_days'];
/** Writes of a build before which it dies: the copy of its rows, the exchange, and each of those after it. */
const DEATHS = [2, 6, 7, 8, 9];
const KEPT = String.raw`SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE 'seen\_\_%'`;

const clickhouse = server();
let client: ClickHouseClient;
let database = 0;
const clients: ClickHouseClient[] = [];
const running: { stop: AbortController; ended: Promise<unknown> }[] = [];

async function newDatabase(): Promise<ClickHouseClient> {
  const name = `${clickhouse.database}_${database++}`;
  await clickhouse.client.command({ query: `CREATE DATABASE ${name}` });
  const own = createClient({ url: clickhouse.url, database: name, log: { level: ClickHouseLogLevel.OFF } });
  clients.push(own);
  return own;
}

beforeEach(async () => {
  client = await newDatabase();
});
afterEach(async () => {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.splice(0).map(({ ended }) => ended));
  for (const own of clients.splice(0)) {
    await own.command({ query: `DROP DATABASE ${await value(own, 'SELECT currentDatabase()')}` });
    await own.close();
  }
});

/** What a projector process runs for the warehouse. */
async function start(migrations = readMigrations(), over = client) {
  const loader = new WarehouseLoader(over, migrations, { backfillEvents: 200 });
  await loader.position();
  const stop = new AbortController();
  const ended = new TableRebuilder(over, loader, log).run(stop.signal);
  running.push({ stop, ended });
  return { loader, builds: loader.builds, stop: () => (stop.abort(), ended) };
}

const count = async (query: string, of = client): Promise<number> => Number(await value(of, query));
const stateIn = async (builds: TableBuilds, name: string): Promise<ReadModelState> =>
  (await builds.list()).find(({ _id }) => _id === name)!;
const settled = async (builds: TableBuilds, name: string): Promise<ReadModelState> => {
  await until(async () => (await stateIn(builds, name)).building === null, undefined, 50);
  return stateIn(builds, name);
};
const oneOf =
  (...types: readonly string[]) =>
  ({ type }: RecordedEvent): boolean =>
    types.includes(type);
const isAttempt = oneOf('AttemptRecorded', 'AttemptSubmitted', 'AttemptTimedOut');
const isAttemptFact = (event: RecordedEvent): boolean =>
  isAttempt(event) || oneOf('AttemptGraded', 'ScoreOverridden')(event);

it('are built, compared and exchanged while events come in, and readers see no error and no step back', async () => {
  const { loader, builds } = await start();
  await loader.apply(batchOf(history.slice(0, EARLIER)));
  const warehouse = new Warehouse(client, reportSql);
  const reads: boolean[] = [];
  let isDone = false;
  const read = async (): Promise<void> => {
    while (!isDone) {
      const { position: upTo } = await warehouse.freshness();
      const known = history.filter(({ position }) => position <= upTo);
      const facts = await count(`SELECT uniqExact(position) FROM attempt_facts WHERE position <= ${upTo}`);
      const counted = await count('SELECT sum(attempts) FROM activity_days FINAL');
      reads.push(facts === known.filter(isAttemptFact).length && counted >= known.filter(isAttempt).length);
    }
  };
  const reading = read();
  try {
    for (const name of CHOSEN) await builds.rebuild(name);
    for (let at = EARLIER; at < history.length; at += 40) await loader.apply(batchOf(history.slice(at, at + 40)));
    for (const name of CHOSEN) {
      const { last, previous } = await settled(builds, name);
      expect(last).toMatchObject({ collection: name, compared: { differing: 0, differences: [] } });
      expect(last!.compared!.documents).toBeGreaterThan(10);
      expect(previous).toMatchObject({ collection: `${name}__previous` });
    }
  } finally {
    isDone = true;
    await reading;
  }
  expect(reads.length).toBeGreaterThan(5);
  expect(reads).not.toContain(false);
  expect(await warehouse.position()).toBe(history.at(-1)!.position);

  const once = await newDatabase();
  const fresh = new WarehouseLoader(once, readMigrations());
  await fresh.position();
  await fresh.apply(batchOf(history));
  await keepsNoName();
  for (const name of CHOSEN) expect([name, await sumOf(name, client)]).toEqual([name, await sumOf(name, once)]);
});

/** Nothing that is derived says who somebody is, whether it is read or kept to go back to. */
async function keepsNoName(): Promise<void> {
  const answer = await client.query({ query: DERIVED, format: 'JSONEachRow' });
  const tables = (await answer.json<{ name: string }>()).map(({ name }) => name);
  expect(tables).toEqual(expect.arrayContaining(['person_facts', 'team_lines__previous']));
  const holding = (table: string): string =>
    `SELECT count() FROM ${table} WHERE position(toString(tuple(*)), '${NAME}') > 0`;
  expect(await count(holding('events'))).toBeGreaterThan(0);
  for (const table of tables) expect([table, await count(holding(table))]).toEqual([table, 0]);
}

const DERIVED = `SELECT name FROM system.tables
  WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'events'`;

/** What a table says, without what depends on when it was counted. */
const sumOf = (table: string, of: ClickHouseClient): Promise<string> =>
  value(
    of,
    `SELECT count(), sum(sipHash64(tuple(* ${table === 'activity_days' ? 'EXCEPT counted' : ''}))) FROM ${table} FINAL`,
  );

describe('of a few facts', () => {
  const events = history.slice(0, 40);
  const TOTAL = events.length;

  /** One table of every event, and another that is derived from it. */
  const few = (version = 1, more = ''): readonly WarehouseMigration[] => [
    ...readMigrations().filter(({ derive }) => !derive),
    {
      name: '900-seen',
      create: [
        'CREATE TABLE IF NOT EXISTS seen (tenant String, note String, position UInt64) ENGINE = ReplacingMergeTree ORDER BY position',
      ],
      derive: `INSERT INTO seen SELECT tenant, concat(type, '${more}'), position FROM events WHERE position > {after:UInt64} AND position <= {upTo:UInt64}`,
      version,
    },
    {
      name: '901-again',
      create: [
        'CREATE TABLE IF NOT EXISTS seen_again (tenant String, position UInt64) ENGINE = ReplacingMergeTree ORDER BY position',
      ],
      derive:
        'INSERT INTO seen_again SELECT tenant, position FROM seen WHERE position > {after:UInt64} AND position <= {upTo:UInt64}',
    },
  ];
  const isWhole = async (of = client): Promise<void> => {
    for (const table of ['seen', 'seen_again']) {
      expect([table, await count(`SELECT count() FROM ${table} FINAL`, of)]).toEqual([table, TOTAL]);
    }
  };

  it('names the rows that differ', async () => {
    const { loader, builds } = await start(few());
    await loader.apply(batchOf(events));
    const [first, second, third] = events as [RecordedEvent, RecordedEvent, RecordedEvent];
    await client.command({ query: `DELETE FROM seen WHERE position = ${first.position}` });
    await client.command({ query: `INSERT INTO seen VALUES ('acme', 'forged', ${second.position})` });
    await client.command({ query: `INSERT INTO seen VALUES ('globex', 'forged', ${third.position + 1n})` });
    await builds.rebuild('seen');
    const { last } = await settled(builds, 'seen');
    expect(last!.compared!.differing).toBe(3);
    expect(last!.compared!.differences).toEqual(
      expect.arrayContaining([
        { id: String(first.position), tenant: 'acme', kind: 'unexpected', fields: [] },
        { id: String(second.position), tenant: 'acme', kind: 'different', fields: ['note'] },
        { id: String(third.position + 1n), tenant: 'globex', kind: 'missing', fields: [] },
      ]),
    );
    await isWhole();
  });

  it('goes back to what was read before, brought up to the log, and forth again', async () => {
    const { loader, builds } = await start(few());
    await expect(builds.rollback('seen')).rejects.toThrow(NoPreviousError);
    await loader.apply(batchOf(events.slice(0, 10)));
    await client.command({ query: `INSERT INTO seen VALUES ('acme', 'of the first', 1)` });
    await builds.rebuild('seen');
    await settled(builds, 'seen');
    await loader.apply(batchOf(events.slice(10, 20)));
    const marked = `SELECT count() FROM seen WHERE note = 'of the first'`;
    expect(await count(marked)).toBe(0);
    await builds.rollback('seen');
    await loader.apply(batchOf(events.slice(20)));
    await settled(builds, 'seen');
    expect(await count(marked)).toBe(1);
    expect(await count('SELECT count() FROM seen FINAL')).toBe(TOTAL + 1);
    await builds.rollback('seen');
    await settled(builds, 'seen');
    expect(await count(marked)).toBe(0);
    await isWhole();
  });

  it('of a new version is read as it was until it is whole, and the old code must not write', async () => {
    const old = await start(few());
    await old.loader.apply(batchOf(events.slice(0, 20)));
    await old.stop();
    const loader = new WarehouseLoader(client, few(2, '!'));
    await loader.position();
    await loader.apply(batchOf(events.slice(20)));
    const [before, after] = ["NOT endsWith(note, '!')", "endsWith(note, '!')"];
    expect(await count(`SELECT count() FROM seen WHERE ${before}`)).toBe(20);
    expect(await count(`SELECT count() FROM seen`)).toBe(20);
    expect(await count('SELECT count() FROM seen_again')).toBe(20);
    expect(await new Warehouse(client, reportSql).position(['900-seen'])).toBe(events[19]!.position);
    await expect(old.loader.position()).rejects.toThrow(OtherVersionError);

    const stop = new AbortController();
    running.push({ stop, ended: new TableRebuilder(client, loader, log).run(stop.signal) });
    await settled(loader.builds, 'seen');
    expect(await count(`SELECT count() FROM seen FINAL WHERE ${after}`)).toBe(TOTAL);
    await isWhole();
    stop.abort();

    // Back by the old code.
    await expect(loader.builds.rollback('seen')).rejects.toThrow(/version 1/);
    await old.builds.rollback('seen');
    const back = await start(few());
    await settled(back.builds, 'seen');
    expect(await count(`SELECT count() FROM seen FINAL WHERE ${before}`)).toBe(TOTAL);
    await isWhole();
  });

  it('is whole whatever step its loader dies before, when another takes over', async () => {
    expect(await Promise.all(DEATHS.map(dieBefore))).toEqual(DEATHS.map(() => true));
  });

  /** @returns whether it died before the build was whole */
  async function dieBefore(step: number): Promise<boolean> {
    const own = await newDatabase();
    const dying = mortal(own);
    const first = await start(few(), dying.client);
    await first.loader.apply(batchOf(events.slice(0, 30)));
    await first.builds.rebuild('seen');
    dying.after(step);
    await until(async () => dying.isDead() || (await stateIn(first.builds, 'seen')).building === null);
    await first.stop();
    const second = await start(few(), own);
    await second.loader.apply(batchOf(events.slice(30)));
    const { last } = await settled(second.builds, 'seen');
    expect(last!.compared).toMatchObject({ differing: 0 });
    await isWhole(own);
    expect(await count(KEPT, own)).toBe(1);
    return dying.isDead();
  }

  /** A client of a process that dies: from then on nothing that it asks for is done. */
  function mortal(real: ClickHouseClient) {
    let left = Infinity;
    let isDead = false;
    const dead = (): Promise<never> => Promise.reject(new Error('dead'));
    const living = (work: 'command' | 'insert') => (given: never) => {
      if (isDead || left-- <= 0) isDead = true;
      return isDead ? dead() : real[work](given);
    };
    const given = {
      command: living('command'),
      insert: living('insert'),
      query: (asked: never) => (isDead ? dead() : real.query(asked)),
    };
    return {
      client: given as unknown as ClickHouseClient,
      after: (steps: number) => (left = steps),
      isDead: () => isDead,
    };
  }
});
