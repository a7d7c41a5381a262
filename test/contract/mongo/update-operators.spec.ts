import { Decimal128, type Document, Double, Int32, Long } from 'mongodb';
import { type AnyDocument, codeOf, server } from './harness';

const given = server();

type Case = [name: string, before: AnyDocument, update: Document, after: AnyDocument];

const cases: Case[] = [
  ['$set creates documents on the way', {}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
  ['$set into an array by index', { a: [1, 2] }, { $set: { 'a.1': 9 } }, { a: [1, 9] }],
  ['$set beyond the end pads with null', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
  ['$set below an element', { a: [{ b: 1 }] }, { $set: { 'a.0.c': 2 } }, { a: [{ b: 1, c: 2 }] }],
  ['$set with a number-like name creates a document', {}, { $set: { 'a.0': 1 } }, { a: { 0: 1 } }],
  ['$set keeps the place of a field', { a: 1, b: 2 }, { $set: { a: 3 } }, { a: 3, b: 2 }],
  ['$unset', { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': '', 'x.y': '' } }, { b: { d: 2 } }],
  ['$unset of an element leaves null', { a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { a: [1, null, 3] }],
  ['$inc adds and creates', { a: 1 }, { $inc: { a: 2, b: -1, 'c.d': 5 } }, { a: 3, b: -1, c: { d: 5 } }],
  ['$mul multiplies and creates zero', { a: 3 }, { $mul: { a: 4, b: 5 } }, { a: 12, b: 0 }],
  ['$min and $max', { a: 5, b: 5, c: 5 }, { $min: { a: 3, b: 9, d: 1 }, $max: { c: 9 } }, { a: 3, b: 5, c: 9, d: 1 }],
  ['$rename', { a: { b: 1 }, c: 2 }, { $rename: { 'a.b': 'x.y', c: 'd', gone: 'e' } }, { a: {}, d: 2, x: { y: 1 } }],
  ['$push creates and appends', { a: [1] }, { $push: { a: 2, b: 3 } }, { a: [1, 2], b: [3] }],
  ['$push of an array is one element', { a: [] }, { $push: { a: [1, 2] } }, { a: [[1, 2]] }],
  ['$push $each', { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }],
  ['$push $each $slice from the end', { a: [1, 2] }, { $push: { a: { $each: [3, 4], $slice: -3 } } }, { a: [2, 3, 4] }],
  ['$push $each $slice from the start', { a: [1, 2] }, { $push: { a: { $each: [3], $slice: 2 } } }, { a: [1, 2] }],
  ['$push $position', { a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
  ['$push negative $position', { a: [1, 4] }, { $push: { a: { $each: [3], $position: -1 } } }, { a: [1, 3, 4] }],
  ['$push $sort', { a: [3, 1] }, { $push: { a: { $each: [2], $sort: -1 } } }, { a: [3, 2, 1] }],
  [
    '$push $sort by field, then $slice',
    { a: [{ s: 5 }, { s: 9 }] },
    { $push: { a: { $each: [{ s: 7 }], $sort: { s: -1 }, $slice: 2 } } },
    { a: [{ s: 9 }, { s: 7 }] },
  ],
  [
    '$addToSet',
    { a: [1, { x: 1, y: 2 }] },
    { $addToSet: { a: { x: 1, y: 2 }, b: 1 } },
    { a: [1, { x: 1, y: 2 }], b: [1] },
  ],
  [
    '$addToSet minds the order of fields',
    { a: [{ x: 1, y: 2 }] },
    { $addToSet: { a: { y: 2, x: 1 } } },
    {
      a: [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
    },
  ],
  ['$addToSet $each', { a: [1] }, { $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [1, 2] }],
  ['$pop', { a: [1, 2, 3], b: [1, 2, 3] }, { $pop: { a: 1, b: -1 } }, { a: [1, 2], b: [2, 3] }],
  ['$pull a value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
  ['$pull by condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
  ['$pull documents by fields', { a: [{ x: 1, y: 2 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }],
  ['$pull with $in', { a: ['x', 'y', 'z'] }, { $pull: { a: { $in: ['x', 'z'] } } }, { a: ['y'] }],
  [
    '$pull documents by a nested condition',
    { a: [{ s: [1, 8] }, { s: [2] }] },
    { $pull: { a: { s: { $gt: 5 } } } },
    { a: [{ s: [2] }] },
  ],
  ['$bit', { a: 12, b: 5 }, { $bit: { a: { and: 10 }, b: { or: 2 } } }, { a: 8, b: 7 }],
  ['$pullAll', { a: [1, 2, 3, 2] }, { $pullAll: { a: [2, 3] } }, { a: [1] }],
  ['$[] changes every element', { a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
  [
    '$[] below every element',
    { a: [{ b: 1 }, { b: 2, c: 3 }] },
    { $set: { 'a.$[].c': 0 } },
    {
      a: [
        { b: 1, c: 0 },
        { b: 2, c: 0 },
      ],
    },
  ],
  [
    'several operators at once',
    { a: 1, b: [1] },
    { $set: { c: 1 }, $inc: { a: 1 }, $push: { b: 2 }, $unset: { d: 1 } },
    { a: 2, b: [1, 2], c: 1 },
  ],
];

it.each(cases)('%s', async (_name, before, update, after) => {
  const collection = await given.collection([{ _id: 1, ...before }]);
  await collection.updateOne({ _id: 1 }, update);
  const found = await collection.findOne();
  expect(found).toEqual({ _id: 1, ...after });
  expect(Object.keys(found!)).toEqual(Object.keys({ _id: 1, ...after }));
});

it('adds new fields in the order of their names', async () => {
  const collection = await given.collection([{ _id: 1 }]);
  await collection.updateOne({ _id: 1 }, { $set: { z: 1, b: 1 }, $inc: { a: 1, m: 1 } });
  expect(Object.keys((await collection.findOne())!)).toEqual(['_id', 'a', 'b', 'm', 'z']);
});

describe('numbers', () => {
  it.each([
    ['int32 plus int32', new Int32(1), new Int32(2), new Int32(3)],
    ['int32 overflows to int64', new Int32(2147483647), new Int32(1), Long.fromString('2147483648')],
    ['int32 plus int64', new Int32(1), Long.fromNumber(2), Long.fromNumber(3)],
    ['int64 stays exact', Long.fromString('9007199254740993'), new Int32(1), Long.fromString('9007199254740994')],
    ['int plus double', new Int32(1), new Double(2), new Double(3)],
    ['double stays double', new Double(1.5), new Double(1.5), new Double(3)],
    ['decimal', Decimal128.fromString('0.10'), Decimal128.fromString('0.20'), Decimal128.fromString('0.30')],
    ['int plus decimal', new Int32(1), Decimal128.fromString('0.5'), Decimal128.fromString('1.5')],
  ])('$inc: %s', async (_name, before, by, after) => {
    const collection = await given.collection([{ _id: 1, n: before }]);
    await collection.updateOne({ _id: 1 }, { $inc: { n: by } });
    expect((await collection.findOne({}, { promoteValues: false }))!.n).toEqual(after);
  });

  it('leaves the types of other fields alone', async () => {
    const collection = await given.collection([
      { _id: 1, d: new Double(2), l: Long.fromNumber(3), in: { d: new Double(4), x: 1 } },
    ]);
    await collection.updateOne({ _id: 1 }, { $set: { 'in.x': 2 } });
    expect(await collection.findOne({}, { promoteValues: false })).toMatchObject({
      d: new Double(2),
      l: Long.fromNumber(3),
      in: { d: new Double(4), x: new Int32(2) },
    });
  });
});

describe('positional updates', () => {
  const graded = (): AnyDocument[] => [
    {
      _id: 1,
      g: [
        { s: 80, n: 1 },
        { s: 90, n: 2 },
        { s: 95, n: 3 },
      ],
      v: [1, 5, 9],
    },
  ];

  it('$ stands for the element that the query matched', async () => {
    const collection = await given.collection(graded());
    await collection.updateOne({ _id: 1, 'g.s': 90 }, { $set: { 'g.$.s': 91 } });
    await collection.updateOne({ v: { $gt: 4 } }, { $inc: { 'v.$': 100 } });
    await collection.updateOne({ g: { $elemMatch: { s: { $gt: 90 }, n: 3 } } }, { $set: { 'g.$.best': true } });
    expect(await collection.findOne()).toEqual({
      _id: 1,
      g: [
        { s: 80, n: 1 },
        { s: 91, n: 2 },
        { s: 95, n: 3, best: true },
      ],
      v: [1, 105, 9],
    });
  });

  it('$ without a match in the query is an error', async () => {
    const collection = await given.collection(graded());
    expect(await codeOf(collection.updateOne({ _id: 1 }, { $set: { 'g.$.s': 1 } }))).toBe(2);
  });

  it('$[id] stands for the elements that its filter chooses', async () => {
    const collection = await given.collection(graded());
    await collection.updateOne(
      { _id: 1 },
      { $set: { 'g.$[high].top': true }, $inc: { 'v.$[big]': 1 } },
      { arrayFilters: [{ 'high.s': { $gte: 90 } }, { big: { $gt: 4 } }] },
    );
    expect(await collection.findOne()).toEqual({
      _id: 1,
      g: [
        { s: 80, n: 1 },
        { s: 90, n: 2, top: true },
        { s: 95, n: 3, top: true },
      ],
      v: [1, 6, 10],
    });
  });

  it('nests', async () => {
    const collection = await given.collection([{ _id: 1, a: [{ b: [{ c: 1 }, { c: 2 }] }, { b: [{ c: 2 }] }] }]);
    await collection.updateOne({}, { $set: { 'a.$[].b.$[two].c': 22 } }, { arrayFilters: [{ 'two.c': 2 }] });
    expect(await collection.findOne()).toEqual({ _id: 1, a: [{ b: [{ c: 1 }, { c: 22 }] }, { b: [{ c: 22 }] }] });
  });

  it('refuses filters that are missing or not used', async () => {
    const collection = await given.collection(graded());
    expect(await codeOf(collection.updateOne({}, { $set: { 'g.$[x].s': 1 } }))).toBe(2);
    expect(await codeOf(collection.updateOne({}, { $set: { a: 1 } }, { arrayFilters: [{ 'x.s': 1 }] }))).toBe(9);
  });
});

describe('$currentDate', () => {
  it('writes a date or a timestamp', async () => {
    const before = Date.now();
    const collection = await given.collection([{ _id: 1 }]);
    const update: Document = { $currentDate: { d: true, t: { $type: 'timestamp' } } };
    await collection.updateOne({}, update);
    const found = (await collection.findOne())!;
    expect((found.d as Date).getTime()).toBeGreaterThanOrEqual(before - 5_000);
    expect((found.t as { _bsontype: string })._bsontype).toBe('Timestamp');
  });
});

it.each([
  ['$inc of a string', { a: 'x' }, { $inc: { a: 1 } }, 14],
  ['$inc by a string', { a: 1 }, { $inc: { a: 'x' } }, 14],
  ['$mul of null', { a: null }, { $mul: { a: 2 } }, 14],
  ['$push to a number', { a: 1 }, { $push: { a: 1 } }, 2],
  ['$addToSet to a number', { a: 1 }, { $addToSet: { a: 1 } }, 2],
  ['$pop of a number', { a: 1 }, { $pop: { a: 1 } }, 14],
  ['$pull of a number', { a: 1 }, { $pull: { a: 1 } }, 2],
  ['$set below a number', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
  ['$set below an array by name', { a: [1] }, { $set: { 'a.b': 1 } }, 28],
  ['an empty part in a path', {}, { $set: { 'a..b': 1 } }, 56],
  ['$inc beyond int64', { a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
] as [string, AnyDocument, Document, number][])('refuses %s', async (_name, before, update, code) => {
  const collection = await given.collection([{ _id: 1, ...before }]);
  expect(await codeOf(collection.updateOne({ _id: 1 }, update))).toBe(code);
  expect(await collection.findOne({}, { promoteLongs: false })).toEqual({ _id: 1, ...before });
});
