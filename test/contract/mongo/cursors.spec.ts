import { type Document, Long } from 'mongodb';
import { codeOf, server } from './harness';

const given = server();

interface Batch {
  firstBatch: Document[];
  nextBatch: Document[];
  id: Long;
}

/** Runs a command that returns a cursor. */
const batchOf = async (command: Document): Promise<Batch> => (await given.db.command(command)).cursor as Batch;

const many = (count: number): { _id: number; pad: string }[] =>
  Array.from({ length: count }, (_, n) => ({ _id: n, pad: 'x'.repeat(100) }));

it('gives 101 documents first and the rest by getMore', async () => {
  const collection = await given.collection(many(250));
  const first = await batchOf({ find: collection.collectionName });
  expect(first.firstBatch).toHaveLength(101);
  const id = first.id;
  const rest = await batchOf({ getMore: Long.fromValue(id), collection: collection.collectionName });
  expect(rest.nextBatch).toHaveLength(149);
  expect(Number(rest.id)).toBe(0);
  expect(await codeOf(given.db.command({ getMore: Long.fromValue(id), collection: collection.collectionName }))).toBe(
    43,
  );
});

it.each([1, 2, 99, 101, 250, 1_000])('reads all with batches of %d', async (batchSize) => {
  const collection = await given.collection(many(250));
  const ids = await collection
    .find()
    .batchSize(batchSize)
    .map(({ _id }) => _id as number)
    .toArray();
  expect(ids).toEqual(Array.from({ length: 250 }, (_, n) => n));
});

it('opens a cursor without reading with batchSize 0', async () => {
  const collection = await given.collection(many(3));
  const cursor = await batchOf({ find: collection.collectionName, batchSize: 0 });
  expect(cursor.firstBatch).toEqual([]);
  expect(Number(cursor.id)).not.toBe(0);
});

it('keeps a reply below 16 MB', async () => {
  const big = 'y'.repeat(1024 * 1024);
  const collection = await given.collection(Array.from({ length: 20 }, (_, n) => ({ _id: n, big })));
  const cursor = await batchOf({ find: collection.collectionName, batchSize: 100 });
  expect(cursor.firstBatch.length).toBeLessThan(17);
  expect(await collection.find({}, { projection: { _id: 1 }, batchSize: 20 }).toArray()).toHaveLength(20);
  expect((await collection.find().toArray()).every((one) => one.big === big)).toBe(true);
});

it('respects limit across batches and singleBatch', async () => {
  const collection = await given.collection(many(250));
  expect(await collection.find().limit(150).batchSize(60).toArray()).toHaveLength(150);
  expect(await collection.find({}, { singleBatch: true, batchSize: 10 }).toArray()).toHaveLength(10);
});

it('is killed on close', async () => {
  const collection = await given.collection(many(250));
  const cursor = collection.find().batchSize(10);
  await cursor.next();
  const id = cursor.id!;
  await cursor.close();
  expect(await codeOf(given.db.command({ getMore: id, collection: collection.collectionName }))).toBe(43);
  const killed = await given.db.command({ killCursors: collection.collectionName, cursors: [id] });
  expect(killed.cursorsNotFound).toHaveLength(1);
});

it('goes on while documents are deleted, changed and added', async () => {
  const collection = await given.collection(many(500));
  const cursor = collection.find({ pad: { $type: 'string' } }).batchSize(10);
  const seen: number[] = [];
  for await (const { _id } of cursor) {
    seen.push(_id as number);
    if (seen.length === 20) {
      await collection.deleteMany({ _id: { $gte: 100, $lt: 200 } });
      await collection.updateMany({ _id: { $gte: 300, $lt: 350 } }, { $set: { pad: 5 } });
    }
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.filter((id) => id >= 130 && id < 200)).toEqual([]);
  expect(seen.filter((id) => id >= 310 && id < 350)).toEqual([]);
  expect(seen.filter((id) => id >= 350)).toHaveLength(150);
});

it('goes on by an index while its entries move', async () => {
  const collection = await given.collection(many(500).map((one) => ({ ...one, n: one._id })));
  await collection.createIndex({ n: 1 });
  const seen: number[] = [];
  for await (const { _id } of collection
    .find({ n: { $gte: 0 } })
    .sort({ n: 1 })
    .batchSize(25)) {
    seen.push(_id as number);
    if (seen.length === 30) await collection.updateMany({ n: { $gte: 400 } }, { $inc: { n: -1_000 } });
  }
  expect(seen.filter((id) => id >= 430)).toEqual([]);
  expect(seen.filter((id) => id < 400)).toHaveLength(400);
});

it('ends with its session', async () => {
  const collection = await given.collection(many(250));
  const session = given.client.startSession();
  const cursor = collection.find({}, { session, batchSize: 5 });
  await cursor.next();
  const id = cursor.id!;
  await given.db.admin().command({ endSessions: [session.id] });
  const after = await codeOf(
    given.db
      .command({ getMore: id, collection: collection.collectionName })
      .catch((error: unknown) => Promise.reject(error as Error)),
  );
  expect([43, 50737, 50738]).toContain(after);
  await session.endSession();
});

it('obeys maxTimeMS', async () => {
  const collection = await given.collection(many(2_000));
  const slow = collection
    .find({
      $expr: {
        $gt: [
          {
            $strLenCP: {
              $reduce: { input: { $range: [0, 200] }, initialValue: '', in: { $concat: ['$$value', 'x'] } },
            },
          },
          1_000,
        ],
      },
    })
    .maxTimeMS(1);
  expect(await codeOf(slow.toArray())).toBe(50);
});
