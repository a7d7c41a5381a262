import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, MongoClient, MongoServerError } from 'mongodb';
import { startEngineProcess } from '../../infra/embedded/child';
import { KILLS, killUnderLoad } from './kill-under-load';

const BATCH = 40;

interface Item {
  _id: string;
  writer: string;
  n: number;
  batch?: string;
}

interface Counter {
  _id: string;
  n: number;
}

/** What the writers were told and may have been told: the truth that the store is held against. */
class Ledger {
  readonly acknowledged = new Map<string, number>();
  readonly batches = new Set<string>();
  readonly attempted = new Set<string>();
  readonly increments = new Map<string, { acknowledged: number; attempted: number }>();
}

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-mongo-crash-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

it(`loses nothing acknowledged and tears no batch over ${KILLS} kills`, async () => {
  const ledger = new Ledger();
  for (let round = 0; round < KILLS; round++) await roundUnderLoad(round, ledger);
  expect(ledger.acknowledged.size).toBeGreaterThan(KILLS);
  expect(ledger.batches.size).toBeGreaterThan(KILLS / 2);

  const engine = await startEngineProcess('mongodb', { dataDir: dir, port: 0 });
  const client = await MongoClient.connect(engine.url);
  const items = client.db('d').collection<Item>('items');
  await expectWhole(items, ledger, undefined);
  await expectIndexes(items);
  await expectCounters(client.db('d').collection<Counter>('counters'), ledger);
  await client.close();
  await engine.close();
});

/** Starts the engine, checks what the kill before it left, writes with several writers, and kills it among the writes. */
async function roundUnderLoad(round: number, ledger: Ledger): Promise<void> {
  const engine = await startEngineProcess('mongodb', { dataDir: dir, port: 0 });
  const client = new MongoClient(engine.url, { retryWrites: false, serverSelectionTimeoutMS: 500 });
  try {
    const items = client.db('d').collection<Item>('items');
    const counters = client.db('d').collection<Counter>('counters');
    if (round === 0) {
      await items.createIndex({ writer: 1, n: -1 });
      await items.createIndex(
        { batch: 1, n: 1 },
        { unique: true, partialFilterExpression: { batch: { $exists: true } } },
      );
    }
    await expectWhole(items, ledger, round - 1);
    const writers = [0, 1, 2, 3].flatMap((writer) => [
      until(async (n) => insert(items, ledger, `${round}-${writer}`, n)),
      until(async (n) => insertBatch(items, ledger, `${round}-${writer}-${n}`)),
      until(async () => increment(counters, ledger, `counter-${writer}`)),
    ]);
    const isEnough = () => ledger.acknowledged.size > round + 1 && ledger.batches.size > (round + 1) / 2;
    await killUnderLoad(engine, round, { first: 20, spread: 90 }, writers, isEnough);
  } finally {
    await engine.kill();
    await client.close();
  }
}

/** Repeats `work` until the engine is gone. */
async function until(work: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; ; n++) {
    try {
      await work(n);
    } catch (error) {
      // A refusal has a code; the driver wraps the end of a connection in the same class without one.
      if (error instanceof MongoServerError && typeof error.code === 'number') throw error;
      return;
    }
  }
}

async function insert(items: Collection<Item>, ledger: Ledger, writer: string, n: number): Promise<void> {
  await items.insertOne({ _id: `${writer}/${n}`, writer, n });
  ledger.acknowledged.set(`${writer}/${n}`, n);
}

/** One command: inserts and an update of the same batch. */
async function insertBatch(items: Collection<Item>, ledger: Ledger, batch: string): Promise<void> {
  ledger.attempted.add(batch);
  await items.insertMany(
    Array.from({ length: BATCH }, (_, n) => ({ _id: `batch/${batch}/${n}`, writer: 'batch', n, batch })),
  );
  ledger.batches.add(batch);
}

async function increment(counters: Collection<Counter>, ledger: Ledger, id: string): Promise<void> {
  const entry = ledger.increments.get(id) ?? { acknowledged: 0, attempted: 0 };
  ledger.increments.set(id, entry);
  entry.attempted++;
  await counters.updateOne({ _id: id }, { $inc: { n: 1 } }, { upsert: true });
  entry.acknowledged++;
}

/** Every acknowledged insert is there, and every batch is there as a whole or not at all. */
async function expectWhole(items: Collection<Item>, ledger: Ledger, round: number | undefined): Promise<void> {
  const of = (name: string): boolean => round === undefined || name.startsWith(`${round}-`);
  const filter = round === undefined ? {} : { _id: { $regex: `^(batch/)?${round}-` } };
  const stored = new Set<string>();
  const sizes = new Map<string, number>();
  for await (const item of items.find(filter, { projection: { batch: 1 } })) {
    stored.add(item._id);
    if (item.batch) sizes.set(item.batch, (sizes.get(item.batch) ?? 0) + 1);
  }
  expect([...ledger.acknowledged.keys()].filter((id) => of(id) && !stored.has(id))).toEqual([]);
  expect([...ledger.batches].filter((batch) => of(batch) && !sizes.has(batch))).toEqual([]);
  expect([...sizes].filter(([batch, size]) => size !== BATCH || !ledger.attempted.has(batch))).toEqual([]);
}

/** Every index has exactly the documents that it should have, and so has the count. */
async function expectIndexes(items: Collection<Item>): Promise<void> {
  const all = await items.find().hint({ $natural: 1 }).toArray();
  const ids = all.map(({ _id }) => _id).sort();
  const inBatches = all.filter(({ batch }) => batch !== undefined);
  expect(await items.estimatedDocumentCount()).toBe(all.length);
  for (const [index, expected] of [
    ['_id_', ids],
    ['writer_1_n_-1', ids],
    ['batch_1_n_1', inBatches.map(({ _id }) => _id).sort()],
  ] as const) {
    const filter = index === 'batch_1_n_1' ? { batch: { $exists: true } } : {};
    const found = await items.find(filter).hint(index).project<Item>({ _id: 1 }).toArray();
    expect(found.map(({ _id }) => _id).sort()).toEqual(expected);
  }
}

async function expectCounters(counters: Collection<Counter>, ledger: Ledger): Promise<void> {
  for (const [id, { acknowledged, attempted }] of ledger.increments) {
    const n = (await counters.findOne({ _id: id }))?.n ?? 0;
    expect(n).toBeGreaterThanOrEqual(acknowledged);
    expect(n).toBeLessThanOrEqual(attempted);
  }
}
