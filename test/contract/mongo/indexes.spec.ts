import { codeOf, idsOf, server, serverError } from './harness';

const given = server();

it('lists what was created, with names made from the keys', async () => {
  const collection = await given.collection([{ a: 1 }]);
  expect(await collection.createIndex({ a: 1, b: -1 })).toBe('a_1_b_-1');
  expect(
    await collection.createIndexes([
      { key: { c: 1 }, name: 'mine', unique: true, sparse: true },
      { key: { d: 1 }, partialFilterExpression: { d: { $gt: 5 } } },
    ]),
  ).toEqual(['mine', 'd_1']);
  const indexes = await collection.indexes();
  expect(indexes).toMatchObject([
    { v: 2, key: { _id: 1 }, name: '_id_' },
    { v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1' },
    { key: { c: 1 }, name: 'mine', unique: true, sparse: true },
    { key: { d: 1 }, name: 'd_1', partialFilterExpression: { d: { $gt: 5 } } },
  ]);
  expect(await collection.indexExists('mine')).toBe(true);
});

it('creates the same index again without an error, and refuses another one in its place', async () => {
  const collection = await given.collection([{ a: 1 }]);
  await collection.createIndex({ a: 1 });
  expect(await collection.createIndex({ a: 1 })).toBe('a_1');
  expect(await codeOf(collection.createIndex({ a: 1 }, { unique: true }))).toBe(86);
  expect(await codeOf(collection.createIndex({ b: 1 }, { name: 'a_1' }))).toBe(86);
  expect(await codeOf(collection.createIndex({ a: 1 }, { name: 'other' }))).toBe(85);
  expect(await collection.indexes()).toHaveLength(2);
});

it('drops indexes by name, by key and all', async () => {
  const collection = await given.collection([{ a: 1 }]);
  await collection.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }, { key: { c: 1 } }]);
  await collection.dropIndex('a_1');
  expect(await codeOf(collection.dropIndex('a_1'))).toBe(27);
  expect(await codeOf(collection.dropIndex('_id_'))).toBe(72);
  await collection.dropIndexes();
  expect((await collection.indexes()).map(({ name }) => name)).toEqual(['_id_']);
});

it('moves a document in all of its indexes when one replacement changes every field, and in none when it is refused', async () => {
  const collection = await given.collection([
    { _id: 1, a: 'a1', b: 'b1', c: ['c1', 'c2'] },
    { _id: 2, a: 'a2', b: 'b2', c: ['c3'] },
  ]);
  await collection.createIndex({ a: 1 }, { unique: true });
  await collection.createIndex({ b: -1 }, { unique: true });
  await collection.createIndex({ c: 1 });
  const byIndex = async (index: string, query: object): Promise<unknown[]> =>
    (await collection.find(query).hint(index).toArray()).map(({ _id }) => _id);

  expect(await codeOf(collection.replaceOne({ _id: 1 }, { a: 'a9', b: 'b2', c: ['c9'] }))).toBe(11000);
  expect(await byIndex('a_1', { a: 'a1' })).toEqual([1]);
  expect(await byIndex('a_1', { a: 'a9' })).toEqual([]);
  expect(await byIndex('c_1', { c: 'c9' })).toEqual([]);

  await collection.replaceOne({ _id: 1 }, { a: 'a9', b: 'b9', c: ['c2', 'c9'] });
  for (const [index, gone, found] of [
    ['a_1', { a: 'a1' }, { a: 'a9' }],
    ['b_-1', { b: 'b1' }, { b: 'b9' }],
    ['c_1', { c: 'c1' }, { c: 'c9' }],
  ] as const) {
    expect(await byIndex(index, gone)).toEqual([]);
    expect(await byIndex(index, found)).toEqual([1]);
  }
  expect(await byIndex('c_1', { c: 'c2' })).toEqual([1]);
  await collection.insertOne({ _id: 3, a: 'a1', b: 'b1', c: [] });
});

describe('unique', () => {
  it('refuses a second value with pattern and value', async () => {
    const collection = await given.collection([{ _id: 1, email: 'a@b', tenant: 't' }]);
    await collection.createIndex({ tenant: 1, email: 1 }, { unique: true });
    await collection.insertOne({ _id: 2, email: 'a@b', tenant: 'u' });
    const error = await serverError(collection.insertOne({ email: 'a@b', tenant: 't' }));
    expect(error).toMatchObject({
      code: 11000,
      keyPattern: { tenant: 1, email: 1 },
      keyValue: { tenant: 't', email: 'a@b' },
    });
    expect(error.message).toContain('tenant_1_email_1');
    expect(await codeOf(collection.updateOne({ _id: 2 }, { $set: { tenant: 't' } }))).toBe(11000);
    expect(await collection.findOne({ _id: 2 })).toMatchObject({ tenant: 'u' });
  });

  it('takes a missing field as null, once', async () => {
    const collection = await given.collection();
    await collection.createIndex({ u: 1 }, { unique: true });
    await collection.insertOne({ _id: 1 });
    expect(await codeOf(collection.insertOne({ _id: 2 }))).toBe(11000);
    expect(await codeOf(collection.insertOne({ _id: 2, u: null }))).toBe(11000);
  });

  it('leaves missing fields out when sparse', async () => {
    const collection = await given.collection();
    await collection.createIndex({ u: 1 }, { unique: true, sparse: true });
    await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, u: 1 }]);
    expect(await codeOf(collection.insertOne({ u: 1 }))).toBe(11000);
    expect(await idsOf(collection, { u: { $exists: false } })).toEqual([1, 2]);
    expect(await idsOf(collection, { u: null })).toEqual([1, 2]);
    expect(await collection.find().sort({ u: 1 }).toArray()).toHaveLength(3);
  });

  it('holds within a partial index only', async () => {
    const collection = await given.collection();
    await collection.createIndex({ u: 1 }, { unique: true, partialFilterExpression: { active: true } });
    await collection.insertMany([
      { _id: 1, u: 1, active: true },
      { _id: 2, u: 1, active: false },
      { _id: 3, u: 1 },
    ]);
    expect(await codeOf(collection.insertOne({ u: 1, active: true }))).toBe(11000);
    expect(await codeOf(collection.updateOne({ _id: 2 }, { $set: { active: true } }))).toBe(11000);
    await collection.updateOne({ _id: 1 }, { $set: { active: false } });
    await collection.updateOne({ _id: 2 }, { $set: { active: true } });
    expect(await idsOf(collection, { u: 1 })).toEqual([1, 2, 3]);
    expect(await idsOf(collection, { u: 1, active: true })).toEqual([2]);
  });

  it('of existing fields only serves queries for existing fields', async () => {
    const collection = await given.collection([{ _id: 1, u: 1 }, { _id: 2, u: null }, { _id: 3 }]);
    await collection.createIndex({ u: 1 }, { partialFilterExpression: { u: { $exists: true } } });
    const hinted = collection.find({ u: { $exists: true } }).hint('u_1');
    expect((await hinted.toArray()).map(({ _id }) => _id as number).sort()).toEqual([1, 2]);
    expect(await codeOf(collection.find({}).hint('u_1').toArray())).toBe(2);
    expect(await idsOf(collection, { u: null })).toEqual([2, 3]);
  });

  it('covers each element of an array, but not twice in one document', async () => {
    const collection = await given.collection();
    await collection.createIndex({ tags: 1 }, { unique: true });
    await collection.insertOne({ _id: 1, tags: ['a', 'b', 'a'] });
    const error = await serverError(collection.insertOne({ _id: 2, tags: ['c', 'b'] }));
    expect(error).toMatchObject({ code: 11000, keyValue: { tags: 'b' } });
    await collection.updateOne({ _id: 1 }, { $pull: { tags: 'b' as never } });
    await collection.insertOne({ _id: 2, tags: ['c', 'b'] });
  });

  it('is not built over duplicates', async () => {
    const collection = await given.collection([{ u: 1 }, { u: 1 }]);
    expect(await codeOf(collection.createIndex({ u: 1 }, { unique: true }))).toBe(11000);
    expect(await collection.indexes()).toHaveLength(1);
    await collection.deleteOne({ u: 1 });
    await collection.createIndex({ u: 1 }, { unique: true });
  });

  it('is exact for values that are longer than a key', async () => {
    const collection = await given.collection();
    await collection.createIndex({ u: 1 }, { unique: true });
    const long = 'x'.repeat(5_000);
    await collection.insertMany([
      { _id: 1, u: `${long}1` },
      { _id: 2, u: `${long}2` },
      { _id: 3, u: long },
    ]);
    expect(await codeOf(collection.insertOne({ u: `${long}1` }))).toBe(11000);
    expect(await idsOf(collection, { u: `${long}2` })).toEqual([2]);
    expect(await idsOf(collection, { u: { $gt: long } })).toEqual([1, 2]);
    expect(
      await collection
        .find()
        .sort({ u: -1 })
        .map(({ _id }) => _id as number)
        .toArray(),
    ).toEqual([2, 1, 3]);
  });

  it('takes long _ids', async () => {
    const id = 'y'.repeat(4_000);
    const collection = await given.collection([{ _id: id }]);
    expect(await codeOf(collection.insertOne({ _id: id }))).toBe(11000);
    expect(await collection.findOne({ _id: id })).toEqual({ _id: id });
    await collection.updateOne({ _id: id }, { $set: { a: 1 } });
    expect(await collection.deleteOne({ _id: id })).toMatchObject({ deletedCount: 1 });
  });
});

it('refuses arrays in two fields of one compound index', async () => {
  const collection = await given.collection();
  await collection.createIndex({ a: 1, b: 1 });
  await collection.insertOne({ a: [1, 2], b: 1 });
  expect(await codeOf(collection.insertOne({ a: [1], b: [2] }))).toBe(171);
});

it('refuses malformed keys', async () => {
  const collection = await given.collection([{ a: 1 }]);
  expect(await codeOf(collection.createIndex({ a: 0 as 1 }))).toBe(67);
});

describe('queries', () => {
  const documents = Array.from({ length: 400 }, (_, n) => ({
    _id: n,
    tenant: `t${n % 4}`,
    at: new Date(1_000_000 + ((n * 7919) % 400) * 1_000),
    score: (n * 31) % 50,
    tags: [n % 5, (n % 5) + 10],
    ...(n % 3 === 0 && { extra: n }),
  }));
  const filters = [
    { tenant: 't1' },
    { tenant: 't1', score: { $gte: 10, $lt: 20 } },
    { tenant: { $in: ['t1', 't3'] }, score: 5 },
    { score: { $gt: 40 }, at: { $lte: new Date(1_200_000) } },
    { tags: 3 },
    { tags: { $in: [1, 12] }, tenant: 't2' },
    { tags: { $gt: 3, $lt: 11 } },
    { extra: { $exists: true } },
    { extra: { $gt: 100 }, tenant: 't0' },
    { extra: null, score: { $lt: 5 } },
    { tenant: /^t[12]/ },
    { tenant: { $ne: 't0' }, score: 7 },
    { $or: [{ tenant: 't1', score: 3 }, { score: 9 }] },
    { _id: { $gte: 10, $lt: 15 } },
    { _id: { $in: [3, 1, 399, 500] } },
  ];
  const sorts = [{ at: 1 }, { score: 1, at: -1 }, { tenant: -1, at: 1 }, { score: -1, _id: 1 }, { _id: -1 }] as const;

  /** What a collection without an index finds, for each filter: ids, count and the values of each sort. */
  let wanted: Awaited<ReturnType<typeof answersOf>>;
  beforeAll(async () => {
    wanted = await answersOf(await given.collection(documents));
  });

  async function answersOf(collection: Awaited<ReturnType<typeof given.collection>>) {
    const answers = [];
    for (const filter of filters) {
      const sorted = [];
      for (const sort of sorts) {
        const found = await collection.find(filter).sort(sort).limit(20).toArray();
        sorted.push(found.map((one) => Object.keys(sort).map((field) => one[field] as unknown)));
      }
      answers.push({
        filter,
        ids: await idsOf(collection, filter),
        count: await collection.countDocuments(filter),
        sorted,
      });
    }
    return answers;
  }

  it.each([
    ['an index per field', [{ tenant: 1 }, { score: 1 }, { at: 1 }, { tags: 1 }, { extra: 1 }]],
    [
      'compound indexes',
      [
        { tenant: 1, at: -1 },
        { tenant: 1, score: 1, at: 1 },
        { score: -1, at: 1 },
        { tags: 1, tenant: 1 },
      ],
    ],
    ['sparse and partial indexes', [{ extra: 1 }]],
  ] as const)('find the same with %s as without', async (name, indexes) => {
    const indexed = await given.collection(documents);
    for (const key of indexes) await indexed.createIndex(key, name.startsWith('sparse') ? { sparse: true } : {});
    if (name.startsWith('sparse'))
      await indexed.createIndex({ score: 1 }, { partialFilterExpression: { extra: { $gte: 50 } } });
    expect(await answersOf(indexed)).toEqual(wanted);
  });

  it('take a hint and refuse one that does not exist', async () => {
    const collection = await given.collection(documents);
    await collection.createIndex({ score: 1 });
    expect(await collection.find({ tenant: 't1' }).hint({ score: 1 }).toArray()).toHaveLength(100);
    expect(await collection.find({ tenant: 't1' }).hint('score_1').toArray()).toHaveLength(100);
    expect(await collection.countDocuments({ tenant: 't1' }, { hint: 'score_1' })).toBe(100);
    expect(await codeOf(collection.find({}).hint('nope_1').toArray())).toBe(2);
    const natural = await collection
      .find()
      .hint({ $natural: -1 })
      .limit(2)
      .map(({ _id }) => _id as number)
      .toArray();
    expect(natural).toEqual([399, 398]);
  });

  it('explain which index they take', async () => {
    const collection = await given.collection(documents);
    await collection.createIndex({ tenant: 1, at: -1 });
    const page = collection.find({ tenant: 't1' }).sort({ at: -1 }).limit(5);
    const explained = await page.explain('executionStats');
    expect(JSON.stringify(explained.queryPlanner)).toMatch(/"IXSCAN".*"tenant_1_at_-1"/);
    expect(JSON.stringify(explained.queryPlanner)).not.toContain('"SORT"');
    expect(explained.executionStats).toMatchObject({ nReturned: 5, totalDocsExamined: 5 });
    const scan = await collection.find({ score: 1 }).explain('queryPlanner');
    expect(JSON.stringify(scan)).toContain('"COLLSCAN"');
  });

  it('see changes of indexed fields at once', async () => {
    const collection = await given.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await collection.createIndex({ a: 1 });
    await collection.updateOne({ _id: 1 }, { $set: { a: 5 } });
    await collection.replaceOne({ _id: 2 }, { b: 1 });
    expect(await idsOf(collection, { a: 1 })).toEqual([]);
    expect(await idsOf(collection, { a: 5 })).toEqual([1]);
    expect(await idsOf(collection, { a: 2 })).toEqual([]);
    expect(await idsOf(collection, { a: null })).toEqual([2]);
    await collection.deleteOne({ _id: 1 });
    expect(await collection.countDocuments({ a: 5 })).toBe(0);
  });
});
