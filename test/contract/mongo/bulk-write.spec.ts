import { MongoBulkWriteError } from 'mongodb';
import { type AnyDocument, idsOf, server } from './harness';

const given = server();

it('runs all kinds of operations and counts them', async () => {
  const collection = await given.collection([
    { _id: 1, a: 1 },
    { _id: 2, a: 1 },
    { _id: 3, a: 3 },
  ]);
  const result = await collection.bulkWrite([
    { insertOne: { document: { _id: 4, a: 4 } } },
    { updateOne: { filter: { _id: 1 }, update: { $inc: { a: 1 } } } },
    { updateMany: { filter: { a: { $gte: 1 } }, update: { $set: { seen: true } } } },
    { replaceOne: { filter: { _id: 2 }, replacement: { b: 2 } } },
    { replaceOne: { filter: { _id: 9 }, replacement: { b: 9 }, upsert: true } },
    { updateOne: { filter: { _id: 10 }, update: { $setOnInsert: { c: 1 } }, upsert: true } },
    { deleteOne: { filter: { _id: 3 } } },
    { deleteMany: { filter: { b: { $exists: true } } } },
  ]);
  expect(result).toMatchObject({
    insertedCount: 1,
    matchedCount: 6,
    modifiedCount: 6,
    upsertedCount: 2,
    deletedCount: 3,
  });
  expect(result.upsertedIds).toEqual({ 4: 9, 5: 10 });
  expect(await idsOf(collection, {})).toEqual([1, 4, 10]);
});

it('changes the document that an _id names only when it meets the other conditions too', async () => {
  const collection = await given.collection([
    { _id: 1, position: 5, tags: ['a', 'b'] },
    { _id: 2, position: 5, tags: ['a'] },
    { _id: 3, position: 5, tags: ['b'] },
  ]);
  await collection.createIndex({ position: 1 });
  const outdated = (_id: number, position: number): object => ({ _id, position: { $lt: position } });
  const ofIds = (operator: string, ...ids: number[]): object => ({ [operator]: ids.map((_id) => ({ _id })) });
  const result = await collection.bulkWrite([
    { replaceOne: { filter: outdated(1, 5), replacement: { position: 4 } } },
    { replaceOne: { filter: outdated(1, 6), replacement: { position: 6 } } },
    { updateOne: { filter: { tags: 'b', _id: 2 }, update: { $set: { seen: true } } } },
    { updateOne: { filter: ofIds('$and', 2, 3), update: { $set: { seen: true } } } },
    { updateOne: { filter: ofIds('$or', 9, 3), update: { $set: { seen: true } } } },
    { deleteOne: { filter: outdated(3, 5) } },
    { deleteOne: { filter: { ...outdated(3, 6), seen: true } } },
  ]);
  expect(result).toMatchObject({ matchedCount: 2, modifiedCount: 2, deletedCount: 1 });
  expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
    { _id: 1, position: 6 },
    { _id: 2, position: 5, tags: ['a'] },
  ]);
  expect(await collection.findOne({ _id: 2, tags: 'a' })).toMatchObject({ position: 5 });
  expect(await collection.findOne({ _id: 2, tags: 'b' })).toBeNull();
});

it('stops an ordered batch at the first error and reports its index', async () => {
  const collection = await given.collection([{ _id: 1 }]);
  const work = collection.bulkWrite([
    { insertOne: { document: { _id: 2 } } },
    { insertOne: { document: { _id: 1 } } },
    { insertOne: { document: { _id: 3 } } },
  ]);
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MongoBulkWriteError);
  expect(error).toMatchObject({ code: 11000, insertedCount: 1, writeErrors: [{ index: 1, code: 11000 }] });
  expect(await idsOf(collection, {})).toEqual([1, 2]);
});

it('goes on after errors in an unordered batch and reports all of them', async () => {
  const collection = await given.collection([
    { _id: 1, u: 1 },
    { _id: 2, u: 2 },
  ]);
  await collection.createIndex({ u: 1 }, { unique: true });
  const work = collection.bulkWrite(
    [
      { insertOne: { document: { _id: 1, u: 5 } } },
      { updateOne: { filter: { _id: 2 }, update: { $set: { u: 1 } } } },
      { insertOne: { document: { _id: 3, u: 3 } } },
      { updateOne: { filter: { _id: 1 }, update: { $inc: { _nope: 'x' as unknown as number } } } },
      { deleteOne: { filter: { _id: 1 } } },
    ],
    { ordered: false },
  );
  const error = (await work.catch((reason: unknown) => reason)) as MongoBulkWriteError;
  const errors = [error.writeErrors].flat().map(({ index, code }) => [index, code]);
  expect(errors.sort()).toEqual([
    [0, 11000],
    [1, 11000],
    [3, 14],
  ]);
  expect(error).toMatchObject({ insertedCount: 1, deletedCount: 1 });
  expect(await idsOf(collection, {})).toEqual([2, 3]);
});

it('takes 3,000 replaces in batches and finds them again', async () => {
  const collection = await given.collection();
  const operations = (version: number): Parameters<typeof collection.bulkWrite>[0] =>
    Array.from({ length: 3_000 }, (_, n) => ({
      replaceOne: { filter: { _id: n }, replacement: { version, n }, upsert: true },
    }));
  expect(await collection.bulkWrite(operations(1), { ordered: false })).toMatchObject({
    upsertedCount: 3_000,
    matchedCount: 0,
  });
  expect(await collection.bulkWrite(operations(2))).toMatchObject({
    upsertedCount: 0,
    matchedCount: 3_000,
    modifiedCount: 3_000,
  });
  expect(await collection.countDocuments({ version: 2 })).toBe(3_000);
});

it('writes to several collections with one client.bulkWrite', async () => {
  const a = await given.collection([{ _id: 1 }]);
  const b = await given.collection([{ _id: 1 }]);
  const result = await given.client.bulkWrite<Record<string, AnyDocument>>(
    [
      { name: 'insertOne', namespace: a.namespace, document: { _id: 2 } },
      { name: 'updateOne', namespace: b.namespace, filter: { _id: 1 }, update: { $set: { x: 1 } } },
      { name: 'replaceOne', namespace: b.namespace, filter: { _id: 5 }, replacement: { y: 1 }, upsert: true },
      { name: 'deleteMany', namespace: a.namespace, filter: { _id: 1 } },
    ],
    { verboseResults: true },
  );
  expect(result).toMatchObject({
    insertedCount: 1,
    matchedCount: 1,
    modifiedCount: 1,
    upsertedCount: 1,
    deletedCount: 1,
  });
  expect(result.updateResults?.get(2)).toMatchObject({ upsertedId: 5 });
  expect(await a.find().toArray()).toEqual([{ _id: 2 }]);
  expect(await b.find().toArray()).toEqual([
    { _id: 1, x: 1 },
    { _id: 5, y: 1 },
  ]);
});

it('reports the errors of client.bulkWrite by index', async () => {
  const a = await given.collection([{ _id: 1 }]);
  const work = given.client.bulkWrite<Record<string, AnyDocument>>(
    [
      { name: 'insertOne', namespace: a.namespace, document: { _id: 1 } },
      { name: 'insertOne', namespace: a.namespace, document: { _id: 2 } },
    ],
    { ordered: false },
  );
  const error = (await work.catch((reason: unknown) => reason)) as {
    writeErrors: Map<number, { code: number }>;
    partialResult: object;
  };
  expect(error.writeErrors.get(0)).toMatchObject({ code: 11000 });
  expect(error.partialResult).toMatchObject({ insertedCount: 1 });
});
