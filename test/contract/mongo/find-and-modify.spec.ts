import { codeOf, server } from './harness';

const given = server();

it('updates and returns the document before or after', async () => {
  const collection = await given.collection([{ _id: 1, n: 1 }]);
  expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })).toEqual({ _id: 1, n: 1 });
  expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' })).toEqual({
    _id: 1,
    n: 3,
  });
  expect(await collection.findOneAndUpdate({ _id: 9 }, { $inc: { n: 1 } })).toBeNull();
});

it('takes the first in order and projects', async () => {
  const collection = await given.collection([
    { _id: 1, p: 1, s: 'a' },
    { _id: 2, p: 3, s: 'b' },
    { _id: 3, p: 2, s: 'c' },
  ]);
  const taken = await collection.findOneAndUpdate(
    { s: { $ne: 'taken' } },
    { $set: { s: 'taken' } },
    { sort: { p: -1 }, projection: { p: 1 } },
  );
  expect(taken).toEqual({ _id: 2, p: 3 });
  expect(await collection.findOneAndDelete({}, { sort: { p: 1 } })).toEqual({ _id: 1, p: 1, s: 'a' });
  expect(await collection.countDocuments()).toBe(2);
  expect(await collection.findOneAndDelete({ _id: 77 })).toBeNull();
});

it('replaces and upserts', async () => {
  const collection = await given.collection([{ _id: 1, a: 1 }]);
  expect(await collection.findOneAndReplace({ _id: 1 }, { b: 2 }, { returnDocument: 'after' })).toEqual({
    _id: 1,
    b: 2,
  });
  expect(await collection.findOneAndUpdate({ _id: 2 }, { $set: { c: 1 } }, { upsert: true })).toBeNull();
  expect(
    await collection.findOneAndUpdate({ _id: 3 }, { $set: { c: 1 } }, { upsert: true, returnDocument: 'after' }),
  ).toEqual({ _id: 3, c: 1 });
});

it('tells what it did with the metadata', async () => {
  const collection = await given.collection([{ _id: 1 }]);
  const updated = await collection.findOneAndUpdate({ _id: 1 }, { $set: { a: 1 } }, { includeResultMetadata: true });
  expect(updated).toMatchObject({ value: { _id: 1 }, lastErrorObject: { n: 1, updatedExisting: true }, ok: 1 });
  const upserted = await collection.findOneAndUpdate(
    { _id: 2 },
    { $set: { a: 1 } },
    { includeResultMetadata: true, upsert: true },
  );
  expect(upserted).toMatchObject({ value: null, lastErrorObject: { n: 1, updatedExisting: false, upserted: 2 } });
});

it('takes arrayFilters and pipelines', async () => {
  const collection = await given.collection([{ _id: 1, a: [1, 5] }]);
  expect(
    await collection.findOneAndUpdate(
      {},
      { $set: { 'a.$[x]': 0 } },
      { arrayFilters: [{ x: { $gt: 2 } }], returnDocument: 'after' },
    ),
  ).toEqual({ _id: 1, a: [1, 0] });
  expect(
    await collection.findOneAndUpdate({}, [{ $set: { n: { $size: '$a' } } }], { returnDocument: 'after' }),
  ).toEqual({ _id: 1, a: [1, 0], n: 2 });
});

it('fails on a duplicate key', async () => {
  const collection = await given.collection([
    { _id: 1, u: 1 },
    { _id: 2, u: 2 },
  ]);
  await collection.createIndex({ u: 1 }, { unique: true });
  expect(await codeOf(collection.findOneAndUpdate({ _id: 2 }, { $set: { u: 1 } }))).toBe(11000);
});

it('gives each of many concurrent callers its own document', async () => {
  const collection = await given.collection(Array.from({ length: 40 }, (_, n) => ({ _id: n, state: 'waiting' })));
  const takes = Array.from({ length: 40 }, () =>
    collection.findOneAndUpdate({ state: 'waiting' }, { $set: { state: 'taken' } }),
  );
  const ids = (await Promise.all(takes)).map((taken) => taken?._id as unknown);
  expect(new Set(ids).size).toBe(40);
  expect(await collection.findOneAndUpdate({ state: 'waiting' }, { $set: { state: 'taken' } })).toBeNull();
});
