/**
 * The embedded MongoDB through its official driver, the engine in a process of its own, and the same documents written to
 * LMDB directly in this process. Rates are documents or calls per second.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { BSON, type Collection, MongoClient } from 'mongodb';
import { startEngineProcess } from '../../infra/embedded/child';
import { startCanned } from './canned';

export interface BenchResult {
  name: string;
  figures: Record<string, number>;
  /** Least that a figure may be. */
  floors: Record<string, number>;
}

interface Order {
  _id: string;
  tenant: string;
  createdAt: Date;
  status: string;
  version: number;
  lines: { activity: string; score: number }[];
}

const BATCH = 1_000;
const DOCUMENTS = 40_000;
const TENANTS = 80;

const order = (number: number, version: number): Order => ({
  _id: `order-${String(number).padStart(8, '0')}`,
  tenant: `tenant-${number % TENANTS}`,
  createdAt: new Date(1_700_000_000_000 + number * 1_000),
  status: version % 2 === 0 ? 'open' : 'closed',
  version,
  lines: [
    { activity: 'https://example.org/activities/fire-safety', score: 0.75 },
    { activity: 'https://example.org/activities/first-aid', score: version },
  ],
});

/** Runs the whole comparison, in well under a minute. */
export async function benchMongo(): Promise<BenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-bench-mongo-'));
  const engine = await startEngineProcess('mongodb', { dataDir, port: 0 });
  const canned = await startCanned('mongodb');
  const client = new MongoClient(engine.url);
  const ceilingClient = new MongoClient(`mongodb://${canned.address}/?directConnection=true`);
  try {
    const ceiling = ceilingClient.db('bench').collection<Order>('orders');
    const orders = client.db('bench').collection<Order>('orders');
    await orders.createIndex({ tenant: 1, createdAt: -1 });
    const figures: Record<string, number> = {};
    figures.bulkInsert = await replaceAll(orders, 0, 1);
    figures.bulkReplace = 0;
    figures.bulkReplaceCeiling = 0;
    for (let round = 0; round < 4; round++) {
      figures.bulkReplace = Math.max(figures.bulkReplace, await replaceAll(orders, round + 1, 1));
      figures.bulkReplaceCeiling = Math.max(figures.bulkReplaceCeiling, await replaceAll(ceiling, round + 1, 1));
    }
    figures.bulkReplaceToCeiling = figures.bulkReplace / figures.bulkReplaceCeiling;
    figures.bulkReplacePipelined = await best(2, (round) => replaceAll(orders, round + 5, 2));
    figures.updateSequential = await calls(1_500, 1, (n) => increment(orders, n));
    figures.update64 = await calls(20_000, 64, (n) => increment(orders, n));
    figures.findByIdSequential = await calls(4_000, 1, (n) => orders.findOne({ _id: order(n * 7, 0)._id }));
    figures.findById64 = await calls(20_000, 64, (n) => orders.findOne({ _id: order(n, 0)._id }));
    figures.findPage = await calls(1_500, 1, (n) => page(orders, n));
    figures.countIndexed = await calls(500, 1, (n) => orders.countDocuments({ tenant: `tenant-${n % TENANTS}` }));
    figures.groupDocuments = await groupAll(orders);
    figures.rawReplace = await rawReplace();
    figures.bulkReplaceToRaw = figures.bulkReplace / figures.rawReplace;
    return {
      name: 'mongodb',
      figures,
      floors: { bulkReplace: 30_000, update64: 4_000, findByIdSequential: 1_200, findPage: 500 },
    };
  } finally {
    await client.close();
    await ceilingClient.close();
    await canned.close();
    await engine.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function best(rounds: number, measure: (round: number) => Promise<number>): Promise<number> {
  let most = 0;
  for (let round = 0; round < rounds; round++) most = Math.max(most, await measure(round));
  return most;
}

/** Replaces every document once in unordered batches of 1,000 upserts, with `inFlight` batches at a time. */
async function replaceAll(orders: Collection<Order>, version: number, inFlight: number): Promise<number> {
  return (
    DOCUMENTS /
    (await seconds(() => concurrently(DOCUMENTS / BATCH, inFlight, (batch) => replaceBatch(orders, batch, version))))
  );
}

async function replaceBatch(orders: Collection<Order>, batch: number, version: number): Promise<void> {
  const operations = Array.from({ length: BATCH }, (_, at) => {
    const replacement = order(batch * BATCH + at, version);
    return { replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true } };
  });
  await orders.bulkWrite(operations, { ordered: false });
}

function increment(orders: Collection<Order>, number: number): Promise<unknown> {
  return orders.updateOne(
    { _id: order(number % DOCUMENTS, 0)._id },
    { $inc: { version: 1 }, $set: { status: 'open' } },
  );
}

function page(orders: Collection<Order>, number: number): Promise<unknown> {
  return orders
    .find({ tenant: `tenant-${number % TENANTS}` })
    .sort({ createdAt: -1 })
    .limit(50)
    .toArray();
}

/** Documents per second through `$group` over the whole collection. */
async function groupAll(orders: Collection<Order>): Promise<number> {
  const pipeline = [{ $group: { _id: '$tenant', version: { $max: '$version' }, orders: { $sum: 1 } } }];
  return DOCUMENTS / (await seconds(() => orders.aggregate(pipeline).toArray()));
}

async function calls(count: number, concurrency: number, call: (number: number) => Promise<unknown>): Promise<number> {
  return count / (await seconds(() => concurrently(count, concurrency, call)));
}

async function concurrently(count: number, workers: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** The same documents and index entries put into LMDB in this process, 1,000 to a durable transaction. */
async function rawReplace(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-bench-lmdb-'));
  const env = open<Buffer, Buffer>({
    path: dataDir,
    keyEncoding: 'binary',
    encoding: 'binary',
    overlappingSync: false,
  });
  try {
    const write = (version: number): void => {
      for (let batch = 0; batch < DOCUMENTS / BATCH; batch++)
        env.transactionSync(() => {
          for (let at = 0; at < BATCH; at++) {
            const document = order(batch * BATCH + at, version);
            env.putSync(Buffer.from(document._id), Buffer.from(BSON.serialize(document)));
            env.putSync(Buffer.from(`${document.tenant}/${document.createdAt.getTime()}`), Buffer.from(document._id));
          }
        });
    };
    write(0);
    const start = performance.now();
    write(1);
    return (DOCUMENTS / (performance.now() - start)) * 1_000;
  } finally {
    await env.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}
