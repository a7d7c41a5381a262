import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { type ChildEngine, startEngineProcess } from '../../infra/embedded/child';
import { processorSeconds } from '../../infra/embedded/process-usage';
import { KILLS, killUnderLoad } from './kill-under-load';

const BATCH = 100;
const WRITERS = 4;

/** What the writers were told and may have been told: the truth that the store is held against. */
class Ledger {
  readonly acknowledged = new Set<string>();
  readonly attempted = new Set<string>();
}

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-clickhouse-crash-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const connect = ({ url }: ChildEngine): ClickHouseClient => createClient({ url, log: { level: 127 } });

it(`loses nothing acknowledged and tears no batch over ${KILLS} kills`, async () => {
  const ledger = new Ledger();
  for (let round = 0; round < KILLS; round++) await roundUnderLoad(round, ledger);
  expect(ledger.acknowledged.size).toBeGreaterThan(KILLS);

  const engine = await startEngineProcess('clickhouse', { dataDir: dir, port: 0 });
  const client = connect(engine);
  await expectWhole(client, ledger);
  await client.close();
  await engine.close();
});

/** Starts the engine, checks what the kills before it left, inserts with several writers, and kills it among the inserts. */
async function roundUnderLoad(round: number, ledger: Ledger): Promise<void> {
  const engine = await startEngineProcess('clickhouse', { dataDir: dir, port: 0 });
  const client = connect(engine);
  try {
    await client.command({
      query:
        'CREATE TABLE IF NOT EXISTS items (batch String, n UInt32, note String) ENGINE = MergeTree ORDER BY (batch, n)',
    });
    await expectWhole(client, ledger);
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      writeUntilGone(client, ledger, `${round}-${writer}`),
    );
    const isEnough = () => ledger.acknowledged.size > round + 1;
    await killUnderLoad(engine, round, { first: 30, spread: 120 }, writers, isEnough);
  } finally {
    await engine.kill();
    await client.close();
  }
}

/** Inserts one batch after the other until the engine is gone. */
async function writeUntilGone(client: ClickHouseClient, ledger: Ledger, writer: string): Promise<void> {
  for (let number = 0; ; number++) {
    const batch = `${writer}-${number}`;
    const values = Array.from({ length: BATCH }, (_, n) => ({ batch, n, note: `row ${n} of ${batch}` }));
    ledger.attempted.add(batch);
    try {
      await client.insert({ table: 'items', values, format: 'JSONEachRow' });
    } catch (error) {
      if (error instanceof ClickHouseError) throw error; // A refusal; the end of a connection is no ClickHouseError.
      return;
    }
    ledger.acknowledged.add(batch);
  }
}

/** Every acknowledged batch is there exactly once, and every other one once or not at all. */
async function expectWhole(client: ClickHouseClient, ledger: Ledger): Promise<void> {
  const query = 'SELECT batch, count() AS rows, uniqExact(n) AS numbers FROM items GROUP BY batch';
  const answer = await client.query({ query, format: 'JSONEachRow' });
  const found = await answer.json<{ batch: string; rows: number; numbers: number }>();
  const stored = new Set(found.map(({ batch }) => batch));
  expect([...ledger.acknowledged].filter((batch) => !stored.has(batch))).toEqual([]);
  expect(found.filter(({ batch }) => !ledger.attempted.has(batch))).toEqual([]);
  expect(found.filter(({ rows, numbers }) => rows !== BATCH || numbers !== BATCH)).toEqual([]);
}

it('starts in under 2 s after a kill with a million rows', async () => {
  const first = await startEngineProcess('clickhouse', { dataDir: dir, port: 0 });
  const before = connect(first);
  await before.command({ query: 'CREATE TABLE many (id UInt64, note String) ENGINE = MergeTree ORDER BY id' });
  await before.command({ query: 'INSERT INTO many SELECT number, toString(number) FROM numbers(1000000)' });
  await first.kill();
  await before.close();

  const engine = await startEngineProcess('clickhouse', { dataDir: dir, port: 0 });
  const client = connect(engine);
  const counted = await client.query({ query: 'SELECT count() AS n FROM many', format: 'JSONEachRow' });
  const rows = await counted.json();
  const took = processorSeconds(engine.process.pid!);
  await client.close();
  await engine.close();
  expect(rows).toEqual([{ n: 1_000_000 }]);
  expect(took).toBeLessThan(2);
});
