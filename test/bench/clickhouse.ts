/**
 * The embedded ClickHouse through its official client, the engine in a process of its own, and the same rows given to chdb
 * directly in this process. Rates are rows or queries per second.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Session } from 'chdb';
import { startEngineProcess } from '../../infra/embedded/child';

export interface BenchResult {
  name: string;
  figures: Record<string, number>;
  /** Least that a figure may be. */
  floors: Record<string, number>;
}

interface Row {
  id: number;
  tenant: string;
  recordedAt: number;
  activity: string;
  score: number;
}

const BATCH = 50_000;
const BATCHES = 6;
const ROWS = BATCH * BATCHES;
const FORMAT = 'JSONEachRow';
const COLUMNS = 'id UInt32, tenant LowCardinality(String), recordedAt DateTime, activity String, score Float64';
const TABLE = `attempts (${COLUMNS}) ENGINE = MergeTree ORDER BY (tenant, id)`;

/** Runs the whole comparison, in about half a minute. */
export async function benchClickHouse(): Promise<BenchResult> {
  const batches = Array.from({ length: BATCHES }, (_, batch) => rowsOf(batch));
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-bench-clickhouse-'));
  const engine = await startEngineProcess('clickhouse', { dataDir, port: 0 });
  const client = createClient({ url: engine.url });
  try {
    const figures: Record<string, number> = {};
    figures.insert = await best(3, () => insertAll(client, batches, 1));
    figures.insertPipelined = await best(2, () => insertAll(client, batches, 2));
    figures.readAll = await best(2, () => readAll(client));
    figures.group = await best(3, () => rate(ROWS, () => group(client)));
    figures.querySequential = await queries(client, 300, 1);
    figures.query16 = await queries(client, 600, 16);
    figures.rawInsert = await rawInsert(batches);
    figures.insertToRaw = figures.insert / figures.rawInsert;
    return { name: 'clickhouse', figures, floors: { insert: 200_000 } };
  } finally {
    await client.close();
    await engine.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function rowsOf(batch: number): Row[] {
  return Array.from({ length: BATCH }, (_, at) => {
    const id = batch * BATCH + at;
    return {
      id,
      tenant: `tenant-${id % 80}`,
      recordedAt: 1_700_000_000 + id,
      activity: `https://example.org/activities/${id % 1000}`,
      score: (id % 100) / 100,
    };
  });
}

/** Fills an empty table in batches, `inFlight` at a time. */
async function insertAll(client: ClickHouseClient, batches: readonly Row[][], inFlight: number): Promise<number> {
  await client.command({ query: 'DROP TABLE IF EXISTS attempts SYNC' });
  await client.command({ query: `CREATE TABLE ${TABLE}` });
  return rate(ROWS, () =>
    concurrently(batches.length, inFlight, (n) =>
      client.insert({ table: 'attempts', values: batches[n]!, format: FORMAT }),
    ),
  );
}

/** Streams the table and parses every row. */
async function readAll(client: ClickHouseClient): Promise<number> {
  return rate(ROWS, async () => {
    const result = await client.query({ query: 'SELECT * FROM attempts', format: FORMAT });
    for await (const rows of result.stream<Row>()) for (const row of rows) row.json();
  });
}

async function group(client: ClickHouseClient): Promise<void> {
  const query = 'SELECT tenant, avg(score) AS average, uniqExact(activity) AS activities FROM attempts GROUP BY tenant';
  await (await client.query({ query, format: FORMAT })).json();
}

function queries(client: ClickHouseClient, count: number, concurrency: number): Promise<number> {
  const query = 'SELECT count() AS n FROM attempts WHERE tenant = {tenant: String}';
  return rate(count, () =>
    concurrently(count, concurrency, async (n) => {
      const result = await client.query({ query, query_params: { tenant: `tenant-${n % 80}` }, format: FORMAT });
      await result.json();
    }),
  );
}

/** The same rows as the same text, read from files by chdb in this process: its fastest way in. */
async function rawInsert(batches: readonly Row[][]): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-bench-chdb-'));
  const file = join(dataDir, 'batch.json');
  const session = new Session(join(dataDir, 'data'));
  try {
    await session.queryAsync('CREATE DATABASE IF NOT EXISTS bench');
    await session.queryAsync('USE bench');
    return await best(3, async () => {
      await session.queryAsync('DROP TABLE IF EXISTS attempts SYNC');
      await session.queryAsync(`CREATE TABLE ${TABLE}`);
      return rate(ROWS, async () => {
        for (const batch of batches) {
          const lines = batch.map((row) => JSON.stringify(row)).join('\n');
          await writeFile(file, lines);
          await session.queryAsync(`INSERT INTO attempts FROM INFILE '${file}' FORMAT ${FORMAT}`);
        }
      });
    });
  } finally {
    session.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function concurrently(count: number, workers: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - start);
}

/** The best of several runs: the machine is shared, and a floor asks what the engine can do. */
async function best(runs: number, measure: () => Promise<number>): Promise<number> {
  let highest = 0;
  for (let run = 0; run < runs; run++) highest = Math.max(highest, await measure());
  return highest;
}
