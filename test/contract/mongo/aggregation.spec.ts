import { Decimal128, type Document, Long } from 'mongodb';
import { type AnyDocument, codeOf, server } from './harness';

const given = server();

const attempts = [
  { _id: 1, learner: 'ada', course: 'fire', score: 80, tags: ['a', 'b'], at: new Date('2024-01-31T10:30:00Z') },
  { _id: 2, learner: 'ada', course: 'aid', score: 90, tags: [], at: new Date('2024-02-01T11:00:00Z') },
  { _id: 3, learner: 'bob', course: 'fire', score: 70, tags: ['b'], at: new Date('2024-02-03T12:00:00Z') },
  { _id: 4, learner: 'bob', course: 'fire', score: null, at: new Date('2024-03-01T00:00:00Z') },
  { _id: 5, learner: 'cyd', course: 'aid', tags: ['c', 'a'], n: { x: 1 }, at: new Date('2024-12-31T23:59:59Z') },
];

const byId = { $sort: { _id: 1 } };

type Case = [name: string, pipeline: Document[], expected: AnyDocument[]];

const cases: Case[] = [
  [
    '$match and $project',
    [{ $match: { learner: 'ada' } }, byId, { $project: { score: 1, _id: 0 } }],
    [{ score: 80 }, { score: 90 }],
  ],
  [
    '$project computes',
    [{ $match: { _id: 1 } }, { $project: { double: { $multiply: ['$score', 2] }, 'a.b': '$course', _id: 0 } }],
    [{ double: 160, a: { b: 'fire' } }],
  ],
  [
    '$addFields',
    [{ $match: { _id: 5 } }, { $addFields: { 'n.y': { $add: ['$n.x', 1] }, z: 'lit' } }, { $project: { n: 1, z: 1 } }],
    [{ _id: 5, n: { x: 1, y: 2 }, z: 'lit' }],
  ],
  [
    '$set and $unset',
    [{ $match: { _id: 5 } }, { $set: { m: '$n.x' } }, { $unset: ['n', 'tags', 'at', 'course'] }],
    [{ _id: 5, learner: 'cyd', m: 1 }],
  ],
  [
    '$group with accumulators',
    [
      { $match: { score: { $type: 'number' } } },
      byId,
      {
        $group: {
          _id: '$learner',
          sum: { $sum: '$score' },
          avg: { $avg: '$score' },
          min: { $min: '$score' },
          max: { $max: '$score' },
          n: { $sum: 1 },
          c: { $count: {} },
          first: { $first: '$course' },
          last: { $last: '$course' },
          all: { $push: '$course' },
        },
      },
      byId,
    ],
    [
      { _id: 'ada', sum: 170, avg: 85, min: 80, max: 90, n: 2, c: 2, first: 'fire', last: 'aid', all: ['fire', 'aid'] },
      { _id: 'bob', sum: 70, avg: 70, min: 70, max: 70, n: 1, c: 1, first: 'fire', last: 'fire', all: ['fire'] },
    ],
  ],
  [
    '$group leaves out what is no number',
    [{ $group: { _id: null, sum: { $sum: '$score' }, avg: { $avg: '$score' }, min: { $min: '$score' } } }],
    [{ _id: null, sum: 240, avg: 80, min: 70 }],
  ],
  [
    '$group by a document',
    [{ $group: { _id: { c: '$course', l: '$learner' }, n: { $sum: 1 } } }, { $match: { n: 2 } }],
    [{ _id: { c: 'fire', l: 'bob' }, n: 2 }],
  ],
  [
    '$group by a missing field',
    [{ $group: { _id: '$n.x', n: { $sum: 1 } } }, byId],
    [
      { _id: null, n: 4 },
      { _id: 1, n: 1 },
    ],
  ],
  [
    '$addToSet',
    [
      { $unwind: '$tags' },
      { $group: { _id: null, tags: { $addToSet: '$tags' } } },
      { $project: { _id: 0, tags: { $sortArray: { input: '$tags', sortBy: 1 } } } },
    ],
    [{ tags: ['a', 'b', 'c'] }],
  ],
  [
    '$sort, $skip, $limit',
    [{ $sort: { course: 1, _id: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }],
    [{ _id: 2 }, { _id: 4 }],
  ],
  [
    '$sort in the middle',
    [
      { $set: { half: { $divide: [{ $ifNull: ['$score', 0] }, 2] } } },
      { $sort: { half: -1, _id: 1 } },
      { $limit: 2 },
      { $project: { half: 1 } },
    ],
    [
      { _id: 2, half: 45 },
      { _id: 1, half: 40 },
    ],
  ],
  [
    '$unwind',
    [{ $match: { _id: { $in: [1, 2, 4] } } }, { $unwind: '$tags' }, { $project: { tags: 1 } }],
    [
      { _id: 1, tags: 'a' },
      { _id: 1, tags: 'b' },
    ],
  ],
  [
    '$unwind keeps and numbers',
    [
      { $match: { _id: { $in: [1, 2, 4] } } },
      byId,
      { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
      { $project: { tags: 1, i: 1 } },
    ],
    [
      { _id: 1, tags: 'a', i: 0 },
      { _id: 1, tags: 'b', i: 1 },
      { _id: 2, i: null },
      { _id: 4, i: null },
    ],
  ],
  ['$count', [{ $match: { course: 'fire' } }, { $count: 'total' }], [{ total: 3 }]],
  ['$count of nothing', [{ $match: { course: 'none' } }, { $count: 'total' }], []],
  [
    '$sortByCount',
    [{ $sortByCount: '$course' }],
    [
      { _id: 'fire', count: 3 },
      { _id: 'aid', count: 2 },
    ],
  ],
  ['$replaceRoot', [{ $match: { _id: 5 } }, { $replaceRoot: { newRoot: '$n' } }], [{ x: 1 }]],
  [
    '$replaceWith',
    [{ $match: { _id: 5 } }, { $replaceWith: { $mergeObjects: ['$n', { y: '$learner' }] } }],
    [{ x: 1, y: 'cyd' }],
  ],
  [
    '$facet',
    [
      {
        $facet: {
          courses: [{ $group: { _id: '$course' } }, byId],
          best: [{ $sort: { score: -1 } }, { $limit: 1 }, { $project: { _id: 1 } }],
        },
      },
    ],
    [{ courses: [{ _id: 'aid' }, { _id: 'fire' }], best: [{ _id: 2 }] }],
  ],
  ['an empty pipeline', [byId, { $project: { _id: 1 } }], [{ _id: 1 }, { _id: 2 }, { _id: 3 }, { _id: 4 }, { _id: 5 }]],
];

it.each(cases)('%s', async (_name, pipeline, expected) => {
  const collection = await given.collection(attempts);
  expect(await collection.aggregate(pipeline).toArray()).toEqual(expected);
});

describe('$lookup', () => {
  it('joins by equal fields and by a pipeline', async () => {
    const learners = await given.collection([
      { _id: 'ada', age: 36 },
      { _id: 'bob', age: 50 },
    ]);
    const collection = await given.collection(attempts.slice(0, 3));
    const joined = await collection
      .aggregate([
        byId,
        { $lookup: { from: learners.collectionName, localField: 'learner', foreignField: '_id', as: 'who' } },
        { $project: { who: 1 } },
      ])
      .toArray();
    expect(joined).toEqual([
      { _id: 1, who: [{ _id: 'ada', age: 36 }] },
      { _id: 2, who: [{ _id: 'ada', age: 36 }] },
      { _id: 3, who: [{ _id: 'bob', age: 50 }] },
    ]);
    const older = await collection
      .aggregate([
        { $match: { _id: 1 } },
        {
          $lookup: {
            from: learners.collectionName,
            let: { score: '$score' },
            pipeline: [
              { $match: { $expr: { $lt: ['$age', '$$score'] } } },
              { $sort: { age: 1 } },
              { $project: { age: 1, _id: 0 } },
            ],
            as: 'who',
          },
        },
        { $project: { who: 1 } },
      ])
      .toArray();
    expect(older).toEqual([{ _id: 1, who: [{ age: 36 }, { age: 50 }] }]);
  });

  it('joins a missing local field with null', async () => {
    const other = await given.collection([{ _id: 1, k: null }, { _id: 2 }, { _id: 3, k: 5 }]);
    const collection = await given.collection([{ _id: 'x' }]);
    const [joined] = await collection
      .aggregate([{ $lookup: { from: other.collectionName, localField: 'k', foreignField: 'k', as: 'all' } }])
      .toArray();
    expect((joined!.all as AnyDocument[]).map(({ _id }) => _id as number)).toEqual([1, 2]);
  });
});

describe('$unionWith', () => {
  it('adds another collection', async () => {
    const other = await given.collection([{ _id: 'o' }]);
    const collection = await given.collection([{ _id: 'c' }]);
    expect(await collection.aggregate([{ $unionWith: other.collectionName }]).toArray()).toEqual([
      { _id: 'c' },
      { _id: 'o' },
    ]);
  });
});

it('reads a large result through a cursor', async () => {
  const collection = await given.collection(Array.from({ length: 1_000 }, (_, n) => ({ _id: n })));
  const found = await collection
    .aggregate([{ $match: { _id: { $gte: 10 } } }, { $set: { x: 1 } }], { batchSize: 7 })
    .toArray();
  expect(found).toHaveLength(990);
});

it('sums int64 and decimals exactly', async () => {
  const collection = await given.collection([
    { l: Long.fromString('9007199254740993'), d: Decimal128.fromString('0.1') },
    { l: Long.fromNumber(1), d: Decimal128.fromString('0.2') },
  ]);
  const [sums] = await collection
    .aggregate([{ $group: { _id: null, l: { $sum: '$l' }, d: { $sum: '$d' } } }], { promoteValues: false })
    .toArray();
  expect(sums).toMatchObject({ l: Long.fromString('9007199254740994'), d: Decimal128.fromString('0.3') });
});

const doc = {
  _id: 1,
  i: 7,
  d: 2.5,
  s: 'Hello World',
  e: '',
  nul: null,
  list: [3, 1, 2],
  nested: [{ a: 1 }, { a: 2 }, {}],
  o: { a: 1, b: 2 },
  t: true,
  when: new Date('2024-02-29T13:14:15.016Z'),
};

it.each([
  [{ $add: ['$i', 1, 0.5] }, 8.5],
  [{ $subtract: ['$i', 10] }, -3],
  [{ $multiply: ['$i', '$d'] }, 17.5],
  [{ $divide: ['$i', 2] }, 3.5],
  [{ $mod: ['$i', 4] }, 3],
  [{ $abs: -5 }, 5],
  [{ $ceil: 1.2 }, 2],
  [{ $floor: -1.2 }, -2],
  [{ $round: [2.5] }, 2],
  [{ $round: [1.255, 1] }, 1.3],
  [{ $trunc: [7.85, 1] }, 7.8],
  [{ $sqrt: 16 }, 4],
  [{ $pow: [2, 10] }, 1024],
  [{ $add: ['$nul', 1] }, null],
  [{ $add: ['$gone', 1] }, null],
  [{ $add: ['$when', 1000] }, new Date('2024-02-29T13:14:16.016Z')],
  [{ $subtract: ['$when', new Date('2024-02-29T13:14:15.000Z')] }, 16],
  [{ $eq: ['$i', 7] }, true],
  [{ $ne: ['$i', '7'] }, true],
  [{ $gt: ['x', 5] }, true],
  [{ $cmp: [1, 2] }, -1],
  [{ $lt: ['$gone', null] }, true],
  [{ $and: [true, 1, 'x'] }, true],
  [{ $or: [0, null, false] }, false],
  [{ $not: ['$nul'] }, true],
  [{ $and: [] }, true],
  [{ $cond: [{ $gt: ['$i', 5] }, 'big', 'small'] }, 'big'],
  [{ $cond: { if: '$gone', then: 1, else: 2 } }, 2],
  [{ $ifNull: ['$nul', '$gone', 'default'] }, 'default'],
  [
    {
      $switch: {
        branches: [
          { case: { $lt: ['$i', 5] }, then: 'a' },
          { case: true, then: 'b' },
        ],
      },
    },
    'b',
  ],
  [{ $concat: ['$s', '!'] }, 'Hello World!'],
  [{ $concat: ['$s', '$nul'] }, null],
  [{ $toUpper: '$s' }, 'HELLO WORLD'],
  [{ $toLower: '$nul' }, ''],
  [{ $substrCP: ['$s', 6, 5] }, 'World'],
  [{ $strLenCP: '$s' }, 11],
  [{ $strLenBytes: 'ü' }, 2],
  [{ $split: ['a,b,c', ','] }, ['a', 'b', 'c']],
  [{ $trim: { input: '  x ' } }, 'x'],
  [{ $ltrim: { input: '00x', chars: '0' } }, 'x'],
  [{ $indexOfCP: ['$s', 'World'] }, 6],
  [{ $regexMatch: { input: '$s', regex: /world/i } }, true],
  [{ $replaceAll: { input: 'a-b-c', find: '-', replacement: '+' } }, 'a+b+c'],
  [{ $size: '$list' }, 3],
  [{ $arrayElemAt: ['$list', -1] }, 2],
  [{ $first: '$list' }, 3],
  [{ $last: '$list' }, 2],
  [{ $slice: ['$list', 2] }, [3, 1]],
  [{ $slice: ['$list', 1, 1] }, [1]],
  [{ $concatArrays: ['$list', [9]] }, [3, 1, 2, 9]],
  [{ $in: [1, '$list'] }, true],
  [{ $isArray: '$list' }, true],
  [{ $filter: { input: '$list', as: 'x', cond: { $gte: ['$$x', 2] } } }, [3, 2]],
  [{ $map: { input: '$list', as: 'x', in: { $multiply: ['$$x', 10] } } }, [30, 10, 20]],
  [{ $reduce: { input: '$list', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 6],
  [{ $range: [0, 6, 2] }, [0, 2, 4]],
  [{ $reverseArray: '$list' }, [2, 1, 3]],
  [{ $sortArray: { input: '$list', sortBy: -1 } }, [3, 2, 1]],
  [{ $indexOfArray: ['$list', 1] }, 1],
  [
    {
      $setUnion: [
        [1, 2],
        [2, 3],
      ],
    },
    [1, 2, 3],
  ],
  [
    {
      $setIntersection: [
        [1, 2],
        [2, 3],
      ],
    },
    [2],
  ],
  [{ $setDifference: [[1, 2], [2]] }, [1]],
  [{ $setIsSubset: [[1], [1, 2]] }, true],
  ['$nested.a', [1, 2]],
  [{ $sum: '$list' }, 6],
  [{ $avg: '$list' }, 2],
  [{ $max: '$list' }, 3],
  [{ $min: ['$i', '$d'] }, 2.5],
  [{ $mergeObjects: ['$o', { b: 3, c: 4 }] }, { a: 1, b: 3, c: 4 }],
  [
    { $objectToArray: '$o' },
    [
      { k: 'a', v: 1 },
      { k: 'b', v: 2 },
    ],
  ],
  [{ $arrayToObject: [[['k', 1]]] }, { k: 1 }],
  [{ $let: { vars: { x: 2 }, in: { $multiply: ['$$x', '$i'] } } }, 14],
  [{ $literal: '$i' }, '$i'],
  [{ $getField: 's' }, 'Hello World'],
  [{ $type: '$s' }, 'string'],
  [{ $type: '$gone' }, 'missing'],
  [{ $toString: '$i' }, '7'],
  [{ $toInt: '42' }, 42],
  [{ $toDouble: '1.5' }, 1.5],
  [{ $toBool: 0 }, false],
  [{ $isNumber: '$d' }, true],
  [{ $toDate: '2024-01-01T00:00:00Z' }, new Date('2024-01-01T00:00:00Z')],
  [{ $convert: { input: 'x', to: 'int', onError: -1 } }, -1],
  [{ $year: '$when' }, 2024],
  [{ $month: '$when' }, 2],
  [{ $dayOfMonth: '$when' }, 29],
  [{ $hour: '$when' }, 13],
  [{ $dayOfWeek: '$when' }, 5],
  [{ $dayOfYear: '$when' }, 60],
  [{ $millisecond: '$when' }, 16],
  [{ $dateToString: { date: '$when', format: '%Y-%m-%d %H:%M:%S.%L' } }, '2024-02-29 13:14:15.016'],
  [{ $dateTrunc: { date: '$when', unit: 'month' } }, new Date('2024-02-01T00:00:00Z')],
  [{ $dateAdd: { startDate: '$when', unit: 'year', amount: 1 } }, new Date('2025-02-28T13:14:15.016Z')],
  [{ $dateDiff: { startDate: new Date('2024-01-01T00:00:00Z'), endDate: '$when', unit: 'day' } }, 59],
  [{ $hour: { date: '$when', timezone: '+02:00' } }, 15],
] as [Document, unknown][])('%j is %j', async (expression, expected) => {
  const collection = await given.collection([doc]);
  const [found] = await collection.aggregate([{ $project: { _id: 0, r: expression } }]).toArray();
  expect(found).toEqual({ r: expected });
});

it.each([
  ['an unknown stage', [{ $frob: 1 }], 40324],
  ['an unknown expression', [{ $project: { a: { $frob: 1 } } }], 31325],
  ['an unknown accumulator', [{ $group: { _id: null, a: { $frob: 1 } } }], 15952],
  ['a $group without _id', [{ $group: { n: { $sum: 1 } } }], 15955],
  ['division by zero', [{ $project: { a: { $divide: [1, 0] } } }], 2],
  ['$size of no array', [{ $project: { a: { $size: '$gone' } } }], 17124],
  ['a stage with two names', [{ $match: {}, $limit: 1 }], 40323],
  ['$limit 0', [{ $limit: 0 }], 15958],
] as [string, Document[], number][])('refuses %s', async (_name, pipeline, code) => {
  const collection = await given.collection([{ a: 1 }]);
  expect(await codeOf(collection.aggregate(pipeline).toArray())).toBe(code);
});
