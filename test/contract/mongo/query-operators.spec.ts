import { Binary, Decimal128, type Document, Long, MaxKey, MinKey, ObjectId } from 'mongodb';
import { type AnyDocument, codeOf, idsOf, server } from './harness';

const given = server();

type Case = [name: string, documents: AnyDocument[], filter: Document, expected: unknown[]];

const numbers = [
  { _id: 1, a: 1 },
  { _id: 2, a: 5 },
  { _id: 3, a: '5' },
  { _id: 4 },
  { _id: 5, a: null },
  { _id: 6, a: [3, 9] },
];

const cases: Case[] = [
  [
    '$eq compares numbers by value',
    [
      { _id: 1, a: 5 },
      { _id: 2, a: Long.fromNumber(5) },
      { _id: 3, a: Decimal128.fromString('5') },
      { _id: 4, a: '5' },
    ],
    { a: 5 },
    [1, 2, 3],
  ],
  [
    'int64 beyond doubles is exact',
    [
      { _id: 1, a: Long.fromString('9007199254740993') },
      { _id: 2, a: Long.fromString('9007199254740992') },
    ],
    { a: Long.fromString('9007199254740993') },
    [1],
  ],
  ['$gt stays within the type', numbers, { a: { $gt: 1 } }, [2, 6]],
  ['$gte and $lte', numbers, { a: { $gte: 1, $lte: 5 } }, [1, 2, 6]],
  [
    'an array may satisfy two bounds with two elements',
    [
      { _id: 1, a: [1, 10] },
      { _id: 2, a: [20] },
    ],
    { a: { $gt: 5, $lt: 6 } },
    [1],
  ],
  [
    '$lt on strings',
    [
      { _id: 1, a: 'a' },
      { _id: 2, a: 'b' },
      { _id: 3, a: 1 },
    ],
    { a: { $lt: 'b' } },
    [1],
  ],
  ['$ne holds for missing fields', numbers, { a: { $ne: 5 } }, [1, 3, 4, 5, 6]],
  ['$ne of an array element', numbers, { a: { $ne: 9 } }, [1, 2, 3, 4, 5]],
  ['$in', numbers, { a: { $in: [1, '5', 9] } }, [1, 3, 6]],
  ['$in with null finds missing fields', numbers, { a: { $in: [null, 1] } }, [1, 4, 5]],
  [
    '$in with a regular expression',
    [
      { _id: 1, a: 'xylophone' },
      { _id: 2, a: 'bell' },
    ],
    { a: { $in: [/^x/, 'drum'] } },
    [1],
  ],
  ['$nin', numbers, { a: { $nin: [1, 5, null] } }, [3, 6]],
  ['null finds null and missing', numbers, { a: null }, [4, 5]],
  ['$ne null', numbers, { a: { $ne: null } }, [1, 2, 3, 6]],
  ['$gte null finds null and missing', numbers, { a: { $gte: null } }, [4, 5]],
  ['$gt null finds nothing', numbers, { a: { $gt: null } }, []],
  ['$exists', numbers, { a: { $exists: true } }, [1, 2, 3, 5, 6]],
  ['not $exists', numbers, { a: { $exists: false } }, [4]],
  ['$and, $or, $nor', numbers, { $and: [{ $or: [{ a: 1 }, { a: 5 }] }, { $nor: [{ _id: 1 }] }] }, [2]],
  ['$not holds for missing fields', numbers, { a: { $not: { $gt: 1 } } }, [1, 3, 4, 5]],
  [
    '$not with a regular expression',
    [{ _id: 1, a: 'ab' }, { _id: 2, a: 'b' }, { _id: 3 }],
    { a: { $not: /^a/ } },
    [2, 3],
  ],
  [
    '$type by alias',
    [
      { _id: 1, a: 1 },
      { _id: 2, a: 1.5 },
      { _id: 3, a: 's' },
      { _id: 4, a: ['s'] },
      { _id: 5, a: new ObjectId() },
    ],
    { a: { $type: 'string' } },
    [3, 4],
  ],
  [
    '$type number',
    [
      { _id: 1, a: 1 },
      { _id: 2, a: Long.fromNumber(1) },
      { _id: 3, a: 's' },
      { _id: 4, a: Decimal128.fromString('1') },
    ],
    { a: { $type: 'number' } },
    [1, 2, 4],
  ],
  [
    '$type array',
    [
      { _id: 1, a: [] },
      { _id: 2, a: [1] },
      { _id: 3, a: 1 },
    ],
    { a: { $type: 'array' } },
    [1, 2],
  ],
  [
    '$type by code and list',
    [
      { _id: 1, a: true },
      { _id: 2, a: null },
      { _id: 3, a: 'x' },
    ],
    { a: { $type: [8, 'null'] } },
    [1, 2],
  ],
  [
    'a regular expression',
    [
      { _id: 1, a: 'Ada' },
      { _id: 2, a: 'adam' },
      { _id: 3, a: ['x', 'ada'] },
      { _id: 4, a: 5 },
    ],
    { a: /^ada/i },
    [1, 2, 3],
  ],
  [
    '$regex with $options',
    [
      { _id: 1, a: 'line\nADA' },
      { _id: 2, a: 'ada' },
      { _id: 3, a: 'xada' },
    ],
    { a: { $regex: '^ada', $options: 'im' } },
    [1, 2],
  ],
  [
    '$all',
    [
      { _id: 1, a: [1, 2, 3] },
      { _id: 2, a: [1] },
      { _id: 3, a: 1 },
    ],
    { a: { $all: [1, 2] } },
    [1],
  ],
  [
    '$all with one value finds scalars',
    [
      { _id: 1, a: [1, 2] },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ],
    { a: { $all: [1] } },
    [1, 2],
  ],
  ['$all of nothing', [{ _id: 1, a: [] }], { a: { $all: [] } }, []],
  [
    '$all with $elemMatch',
    [
      {
        _id: 1,
        a: [
          { x: 1, y: 1 },
          { x: 2, y: 2 },
        ],
      },
      { _id: 2, a: [{ x: 1, y: 2 }] },
    ],
    { a: { $all: [{ $elemMatch: { x: 1, y: 1 } }, { $elemMatch: { x: 2 } }] } },
    [1],
  ],
  [
    '$elemMatch needs one element for all',
    [
      { _id: 1, a: [{ x: 1, y: 2 }] },
      { _id: 2, a: [{ x: 1 }, { y: 2 }] },
      { _id: 3, a: { x: 1, y: 2 } },
    ],
    { a: { $elemMatch: { x: 1, y: 2 } } },
    [1],
  ],
  [
    '$elemMatch on values',
    [
      { _id: 1, a: [1, 10] },
      { _id: 2, a: [5] },
      { _id: 3, a: 5 },
    ],
    { a: { $elemMatch: { $gt: 4, $lt: 6 } } },
    [2],
  ],
  [
    '$elemMatch with $or',
    [
      { _id: 1, a: [{ x: 1 }] },
      { _id: 2, a: [{ y: 2 }] },
      { _id: 3, a: [{ z: 3 }] },
    ],
    { a: { $elemMatch: { $or: [{ x: 1 }, { y: 2 }] } } },
    [1, 2],
  ],
  [
    '$size',
    [
      { _id: 1, a: [1, 2] },
      { _id: 2, a: [] },
      { _id: 3, a: 2 },
      { _id: 4, a: [[1, 2]] },
    ],
    { a: { $size: 2 } },
    [1],
  ],
  [
    '$mod',
    [
      { _id: 1, a: 4 },
      { _id: 2, a: 5 },
      { _id: 3, a: Long.fromNumber(10) },
      { _id: 4, a: 4.7 },
      { _id: 5, a: 'x' },
    ],
    { a: { $mod: [2, 0] } },
    [1, 3, 4],
  ],
  [
    '$expr',
    [
      { _id: 1, a: 3, b: 2 },
      { _id: 2, a: 1, b: 2 },
    ],
    { $expr: { $gt: ['$a', '$b'] } },
    [1],
  ],
  ['dotted paths', [{ _id: 1, a: { b: { c: 1 } } }, { _id: 2, a: { b: 1 } }, { _id: 3 }], { 'a.b.c': 1 }, [1]],
  [
    'dotted paths through arrays',
    [
      { _id: 1, a: [{ b: 1 }, { b: 2 }] },
      { _id: 2, a: [{ b: 3 }] },
    ],
    { 'a.b': 2 },
    [1],
  ],
  [
    'dotted paths through two arrays',
    [
      { _id: 1, a: [{ b: [{ c: 1 }] }] },
      { _id: 2, a: [{ b: [{ c: 2 }] }] },
    ],
    { 'a.b.c': 2 },
    [2],
  ],
  [
    'conditions on one path may hold for different elements',
    [
      {
        _id: 1,
        a: [
          { b: 1, c: 9 },
          { b: 2, c: 8 },
        ],
      },
    ],
    { 'a.b': 1, 'a.c': 8 },
    [1],
  ],
  [
    'array indexes in paths',
    [
      { _id: 1, a: [5, 6] },
      { _id: 2, a: [6, 5] },
      { _id: 3, a: { 1: 6 } },
    ],
    { 'a.1': 6 },
    [1, 3],
  ],
  [
    'array index and field',
    [
      { _id: 1, a: [{ b: 1 }, { b: 2 }] },
      { _id: 2, a: [{ b: 2 }] },
    ],
    { 'a.0.b': 2 },
    [2],
  ],
  [
    'null below a document',
    [{ _id: 1, a: { b: null } }, { _id: 2, a: {} }, { _id: 3 }, { _id: 4, a: 5 }, { _id: 5, a: { b: 1 } }],
    { 'a.b': null },
    [1, 2, 3, 4],
  ],
  [
    'null below an array of documents',
    [
      { _id: 1, a: [{ b: 1 }, {}] },
      { _id: 2, a: [{ b: 1 }] },
    ],
    { 'a.b': null },
    [1],
  ],
  [
    'embedded documents are equal with the same fields in the same order',
    [
      { _id: 1, a: { x: 1, y: 2 } },
      { _id: 2, a: { y: 2, x: 1 } },
      { _id: 3, a: { x: 1, y: 2, z: 3 } },
    ],
    { a: { x: 1, y: 2 } },
    [1],
  ],
  [
    'an array equals as a whole or as an element',
    [
      { _id: 1, a: [1, 2] },
      { _id: 2, a: [[1, 2], 3] },
      { _id: 3, a: [2, 1] },
    ],
    { a: [1, 2] },
    [1, 2],
  ],
  ['an empty document', [{ _id: 1, a: {} }, { _id: 2, a: { b: 1 } }, { _id: 3 }], { a: {} }, [1]],
  [
    'dates',
    [
      { _id: 1, a: new Date(1000) },
      { _id: 2, a: new Date(2000) },
      { _id: 3, a: 1500 },
    ],
    { a: { $gt: new Date(1000) } },
    [2],
  ],
  [
    'booleans are not numbers',
    [
      { _id: 1, a: true },
      { _id: 2, a: 1 },
    ],
    { a: true },
    [1],
  ],
  [
    'NaN equals NaN and nothing is less',
    [
      { _id: 1, a: NaN },
      { _id: 2, a: 1 },
    ],
    { a: NaN },
    [1],
  ],
  [
    'NaN is in no range',
    [
      { _id: 1, a: NaN },
      { _id: 2, a: 1 },
    ],
    { a: { $lt: 5 } },
    [2],
  ],
  [
    'binary by length, subtype and bytes',
    [
      { _id: 1, a: new Binary(Buffer.from([1, 2])) },
      { _id: 2, a: new Binary(Buffer.from([1, 2]), 5) },
      { _id: 3, a: new Binary(Buffer.from([255, 254])) },
    ],
    { a: new Binary(Buffer.from([1, 2])) },
    [1],
  ],
  [
    'MinKey and MaxKey bound all types',
    [
      { _id: 1, a: 1 },
      { _id: 2, a: 'x' },
      { _id: 3, a: new MinKey() },
    ],
    { a: { $gt: new MinKey(), $lt: new MaxKey() } },
    [1, 2],
  ],
  [
    '$bitsAllSet',
    [
      { _id: 1, a: 6 },
      { _id: 2, a: 4 },
      { _id: 3, a: 1 },
    ],
    { a: { $bitsAllSet: [1, 2] } },
    [1],
  ],
  ['$comment changes nothing', [{ _id: 1, a: 1 }], { a: 1, $comment: 'why' }, [1]],
];

describe.each([
  ['without an index', undefined],
  ['with an index', { a: 1 }],
] as const)('%s', (_, index) => {
  it.each(cases)('%s', async (_name, documents, filter, expected) => {
    const collection = await given.collection(documents);
    if (index) await collection.createIndex(index);
    expect(await idsOf(collection, filter)).toEqual(expected);
    expect(await collection.countDocuments(filter)).toBe(expected.length);
  });
});

it.each([
  ['an unknown operator', { a: { $frob: 1 } }, 2],
  ['an unknown top-level operator', { $frob: 1 }, 2],
  ['$in without an array', { a: { $in: 1 } }, 2],
  ['an empty $or', { $or: [] }, 2],
  ['$and of scalars', { $and: [1] }, 2],
  ['a regular expression in $ne', { a: { $ne: /x/ } }, 2],
  ['$size of a string', { a: { $size: 'x' } }, expect.any(Number)],
  ['$mod by zero', { a: { $mod: [0, 1] } }, 2],
] as [string, Document, unknown][])('refuses %s', async (_name, filter, code) => {
  const collection = await given.collection([{ a: 1 }]);
  expect(await codeOf(collection.find(filter).toArray())).toEqual(code);
});
