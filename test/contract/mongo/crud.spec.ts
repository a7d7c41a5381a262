import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'mongodb';
import { codeOf, idsOf, server, serverError } from './harness';

const given = server();

describe('insert', () => {
  it('gives documents an ObjectId and returns it', async () => {
    const collection = await given.collection();
    const { insertedId, acknowledged } = await collection.insertOne({ name: 'Ada' });
    expect(acknowledged).toBe(true);
    expect(insertedId).toBeInstanceOf(ObjectId);
    expect(await collection.findOne({ _id: insertedId })).toEqual({ _id: insertedId, name: 'Ada' });
  });

  it('keeps every BSON type and the order of fields', async () => {
    const document = {
      _id: 'types',
      z: 1,
      a: 'text with ünïcode 🎓',
      10: 'number-like names stay in place only in BSON',
      double: new Double(3),
      fraction: 0.1,
      int: new Int32(7),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('1.10'),
      date: new Date('2024-02-29T12:00:00.001Z'),
      before1970: new Date('1901-05-06T07:08:09Z'),
      id: new ObjectId('64b7f0f0f0f0f0f0f0f0f0f0'),
      uuid: new UUID('d6f5a3a2-4f0a-4c3e-9d7e-3e3b6c1c9a11'),
      binary: new Binary(Buffer.from([0, 255, 128]), 0),
      regex: /ab+c/im,
      timestamp: new Timestamp({ t: 1_700_000_000, i: 3 }),
      null: null,
      yes: true,
      empty: {},
      list: [1, 'two', [3], { four: 4 }],
      min: new MinKey(),
      max: new MaxKey(),
    };
    const collection = await given.collection();
    await collection.insertOne(document);
    const found = await collection.findOne({ _id: 'types' }, { promoteValues: false });
    expect(Object.keys(found!)).toEqual(Object.keys(document));
    expect(found).toMatchObject({
      double: new Double(3),
      int: new Int32(7),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('1.10'),
      date: document.date,
      before1970: document.before1970,
      timestamp: document.timestamp,
    });
    const promoted = await collection.findOne({ _id: 'types' }, { bsonRegExp: false, promoteLongs: false });
    expect(promoted).toMatchObject({
      a: document.a,
      list: document.list,
      empty: {},
      regex: /ab+c/im,
      uuid: document.uuid,
    });
  });

  it('moves _id to the front', async () => {
    const collection = await given.collection();
    await collection.insertOne({ a: 1, b: 2, _id: 'last' });
    expect(Object.keys((await collection.findOne({}))!)).toEqual(['_id', 'a', 'b']);
  });

  it('refuses a second document with the same _id and names key, pattern and value', async () => {
    const collection = await given.collection([{ _id: 1 }]);
    const error = await serverError(collection.insertOne({ _id: 1 }));
    expect(error.code).toBe(11000);
    expect(error).toMatchObject({ keyPattern: { _id: 1 }, keyValue: { _id: 1 } });
    expect(error.message).toContain('E11000');
  });

  it('takes _ids that compare equal across numeric types as the same', async () => {
    const collection = await given.collection([{ _id: 5 }]);
    expect(await codeOf(collection.insertOne({ _id: new Double(5) }))).toBe(11000);
    expect(await codeOf(collection.insertOne({ _id: Long.fromNumber(5) }))).toBe(11000);
    expect(await codeOf(collection.insertOne({ _id: Decimal128.fromString('5.0') }))).toBe(11000);
  });

  it('refuses arrays and regular expressions as _id', async () => {
    const collection = await given.collection();
    expect(await codeOf(collection.insertOne({ _id: [1] }))).toBe(53);
    expect(await codeOf(collection.insertOne({ _id: /x/ }))).toBe(53);
  });

  it('keeps documents in the order of insertion', async () => {
    const collection = await given.collection([{ _id: 3 }, { _id: 1 }, { _id: 2 }]);
    expect(
      await collection
        .find()
        .map(({ _id }) => _id as number)
        .toArray(),
    ).toEqual([3, 1, 2]);
  });

  it('stops at the first error when ordered and goes on when not', async () => {
    const ordered = await given.collection([{ _id: 2 }]);
    const first = await serverError(ordered.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]));
    expect(first).toMatchObject({ code: 11000, insertedCount: 1 });
    expect(await idsOf(ordered, {})).toEqual([1, 2]);

    const unordered = await given.collection([{ _id: 2 }]);
    const second = await serverError(unordered.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }], { ordered: false }));
    expect(second).toMatchObject({ insertedCount: 2, writeErrors: [{ index: 1, code: 11000 }] });
    expect(await idsOf(unordered, {})).toEqual([1, 2, 3]);
  });
});

describe('update', () => {
  it('counts what it matched and what it changed', async () => {
    const collection = await given.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    expect(await collection.updateOne({ a: 1 }, { $set: { b: 1 } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 1,
    });
    expect(await collection.updateMany({}, { $set: { b: 1 } })).toMatchObject({ matchedCount: 3, modifiedCount: 2 });
    expect(await collection.updateMany({ a: 9 }, { $set: { b: 1 } })).toMatchObject({
      matchedCount: 0,
      modifiedCount: 0,
    });
    expect(await collection.updateOne({ _id: 1 }, { $set: { a: 1 } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 0,
    });
  });

  it('updates each document once although its index entry moves', async () => {
    const collection = await given.collection(Array.from({ length: 300 }, (_, n) => ({ _id: n, n })));
    await collection.createIndex({ n: 1 });
    expect(await collection.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1000 } })).toMatchObject({
      modifiedCount: 300,
    });
    expect(await collection.countDocuments({ n: { $gte: 1000, $lt: 1300 } })).toBe(300);
  });

  it('upserts with the values that the query fixes', async () => {
    const collection = await given.collection();
    const result = await collection.updateOne(
      {
        _id: 'u',
        $and: [{ tenant: 't' }, { 'nested.kind': { $eq: 'k' } }],
        one: { $in: [1] },
        many: { $in: [1, 2] },
        n: { $gt: 5 },
      },
      { $set: { set: true }, $setOnInsert: { born: 1 }, $inc: { count: 2 } },
      { upsert: true },
    );
    expect(result).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: 'u' });
    expect(await collection.findOne()).toEqual({
      _id: 'u',
      tenant: 't',
      nested: { kind: 'k' },
      one: 1,
      set: true,
      born: 1,
      count: 2,
    });
    await collection.updateOne({ _id: 'u' }, { $setOnInsert: { born: 2 }, $inc: { count: 1 } }, { upsert: true });
    expect(await collection.findOne()).toMatchObject({ born: 1, count: 3 });
  });

  it('guards a version with an upsert that collides when the stored one is newer', async () => {
    const collection = await given.collection([{ _id: 'doc', version: 5 }]);
    const write = (version: number): Promise<unknown> =>
      collection.replaceOne({ _id: 'doc', version: { $lt: version } }, { version }, { upsert: true });
    expect(await codeOf(write(4))).toBe(11000);
    await write(6);
    expect(await collection.findOne()).toEqual({ _id: 'doc', version: 6 });
  });

  it('never changes an _id', async () => {
    const collection = await given.collection([{ _id: 1, a: 1 }]);
    expect(await codeOf(collection.updateOne({ _id: 1 }, { $set: { _id: 2 } }))).toBe(66);
    expect(await codeOf(collection.replaceOne({ a: 1 }, { _id: 2, a: 1 }))).toBe(66);
    expect(await codeOf(collection.updateOne({ _id: 7 }, { $set: { _id: 8 } }, { upsert: true }))).toBe(66);
    await collection.updateOne({ _id: 1 }, { $set: { _id: 1, a: 2 } });
    expect(await collection.find().toArray()).toEqual([{ _id: 1, a: 2 }]);
  });

  it('replaces whole documents, also with nothing', async () => {
    const collection = await given.collection([{ _id: 1, a: 1, b: 2 }]);
    expect(await collection.replaceOne({ _id: 1 }, { c: 3 })).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await collection.findOne()).toEqual({ _id: 1, c: 3 });
    expect(await collection.replaceOne({ _id: 1 }, { c: 3 })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
    await collection.replaceOne({ _id: 1 }, {});
    expect(await collection.findOne()).toEqual({ _id: 1 });
    const upsert = await collection.replaceOne({ email: 'x' }, { n: 1 }, { upsert: true });
    expect(upsert.upsertedId).toBeInstanceOf(ObjectId);
    expect(await collection.findOne({ n: 1 })).toEqual({ _id: upsert.upsertedId, n: 1 });
  });

  it('updates with a pipeline that reads the document', async () => {
    const collection = await given.collection([{ _id: 1, a: 2, b: 3 }]);
    await collection.updateOne({ _id: 1 }, [{ $set: { sum: { $add: ['$a', '$b'] } } }, { $unset: 'a' }]);
    expect(await collection.findOne()).toEqual({ _id: 1, b: 3, sum: 5 });
  });

  it('refuses unknown and conflicting operators', async () => {
    const collection = await given.collection([{ _id: 1 }]);
    expect(await codeOf(collection.updateOne({ _id: 1 }, { $frobnicate: { a: 1 } }))).toBe(9);
    expect(await codeOf(collection.updateOne({ _id: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }))).toBe(40);
    expect(await codeOf(collection.updateOne({ _id: 1 }, { $set: { 'a.b': 1, a: 1 } }))).toBe(40);
  });
});

describe('delete', () => {
  it('deletes one or all that match', async () => {
    const collection = await given.collection([1, 2, 3, 4].map((_id) => ({ _id, odd: _id % 2 === 1 })));
    expect(await collection.deleteOne({ odd: true })).toMatchObject({ deletedCount: 1 });
    expect(await idsOf(collection, {})).toEqual([2, 3, 4]);
    expect(await collection.deleteMany({ odd: false })).toMatchObject({ deletedCount: 2 });
    expect(await collection.deleteMany({ odd: false })).toMatchObject({ deletedCount: 0 });
    expect(await collection.deleteMany({})).toMatchObject({ deletedCount: 1 });
    expect(await collection.countDocuments()).toBe(0);
  });
});

describe('find', () => {
  it('sorts, skips, limits and projects', async () => {
    const collection = await given.collection(
      Array.from({ length: 20 }, (_, n) => ({ _id: n, group: n % 3, n: 20 - n })),
    );
    const found = await collection.find({ group: 1 }).sort({ n: 1 }).skip(1).limit(3).project({ n: 1 }).toArray();
    expect(found).toEqual([
      { _id: 16, n: 4 },
      { _id: 13, n: 7 },
      { _id: 10, n: 10 },
    ]);
  });

  it('sorts by several fields and keeps the order of insertion among equals', async () => {
    const collection = await given.collection([
      { _id: 1, a: 2, b: 1 },
      { _id: 2, a: 1, b: 1 },
      { _id: 3, a: 1, b: 2 },
      { _id: 4, a: 2, b: 2 },
      { _id: 5, a: 1, b: 2 },
    ]);
    const ids = async (sort: Record<string, 1 | -1>): Promise<unknown[]> =>
      collection
        .find()
        .sort(sort)
        .map(({ _id }) => _id as unknown)
        .toArray();
    expect(await ids({ a: 1, b: -1, _id: 1 })).toEqual([3, 5, 2, 4, 1]);
    expect(await ids({ a: -1, b: 1, _id: -1 })).toEqual([1, 4, 2, 5, 3]);
  });

  it('returns null or nothing when nothing matches, also without a collection', async () => {
    const collection = given.db.collection('never-created');
    expect(await collection.findOne({ a: 1 })).toBeNull();
    expect(await collection.find().toArray()).toEqual([]);
    expect(await collection.countDocuments()).toBe(0);
    expect(await collection.estimatedDocumentCount()).toBe(0);
    expect(await collection.distinct('a')).toEqual([]);
    expect(await collection.deleteMany({})).toMatchObject({ deletedCount: 0 });
    expect(await collection.updateMany({}, { $set: { a: 1 } })).toMatchObject({ matchedCount: 0 });
  });

  it('counts with filter, skip and limit', async () => {
    const collection = await given.collection(Array.from({ length: 30 }, (_, n) => ({ _id: n, even: n % 2 === 0 })));
    expect(await collection.countDocuments()).toBe(30);
    expect(await collection.countDocuments({ even: true })).toBe(15);
    expect(await collection.countDocuments({ even: true }, { skip: 10, limit: 3 })).toBe(3);
    expect(await collection.estimatedDocumentCount()).toBe(30);
  });

  it('collects distinct values, also out of arrays and nested documents', async () => {
    const collection = await given.collection([
      { tags: ['a', 'b'], n: { k: 1 } },
      { tags: ['b', 'c'], n: { k: 2 } },
      { tags: 'a', n: { k: 1 } },
      { n: [{ k: 3 }] },
      { tags: [] },
    ]);
    expect((await collection.distinct('tags')).sort()).toEqual(['a', 'b', 'c']);
    expect((await collection.distinct('n.k')).sort()).toEqual([1, 2, 3]);
    expect(await collection.distinct('tags', { 'n.k': 2 })).toEqual(['b', 'c']);
  });

  it('sends commands outside of its replies with w: 0', async () => {
    const collection = await given.collection();
    const result = await collection.insertOne({ _id: 'silent' }, { writeConcern: { w: 0 } });
    expect(result.acknowledged).toBe(false);
    await collection.insertOne({ _id: 'loud' });
    expect(await codeOf(collection.insertOne({ _id: 'loud' }))).toBe(11000);
    expect(await collection.countDocuments({ _id: 'loud' })).toBe(1);
  });
});
