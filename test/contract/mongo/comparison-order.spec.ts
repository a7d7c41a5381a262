import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { server } from './harness';

const given = server();

/** Values from least to greatest; values in one list are equal. */
const ordered: unknown[][] = [
  [new MinKey()],
  [[]],
  [null],
  [new Double(NaN)],
  [-Infinity],
  [Long.MIN_VALUE],
  [-1.5],
  [new Int32(0), new Double(-0), Long.ZERO, Decimal128.fromString('0')],
  [Decimal128.fromString('0.1')],
  [0.1],
  [new Int32(1), new Double(1), Decimal128.fromString('1.000')],
  [Long.fromString('9007199254740992')],
  [Long.fromString('9007199254740993')],
  [new Double(9007199254740994)],
  [Long.MAX_VALUE],
  [new Double(2 ** 63)],
  [Decimal128.fromString('1E+400')],
  [Infinity],
  [''],
  ['A'],
  ['a'],
  ['a\u0000'],
  ['a\u0000b'],
  ['ab'],
  ['ä'],
  ['\uffee'],
  ['🎓'],
  [{}],
  [{ a: 1 }],
  [{ a: 1, b: 1 }],
  [{ a: 2 }],
  [{ b: 1 }],
  [{ a: 'x' }],
  [new Binary(Buffer.from([9]))],
  [new Binary(Buffer.from([1, 2]))],
  [new Binary(Buffer.from([1, 2]), 5)],
  [new ObjectId('000000000000000000000001')],
  [new ObjectId('ffffffffffffffffffffffff')],
  [false],
  [true],
  [new Date('1900-01-01T00:00:00Z')],
  [new Date(0)],
  [new Date(1)],
  [new Timestamp({ t: 1, i: 1 })],
  [new Timestamp({ t: 4_000_000_000, i: 1 })],
  [new BSONRegExp('a')],
  [new BSONRegExp('a', 'i')],
  [new MaxKey()],
];

const documents = ordered.flatMap((equals, rank) => equals.map((value) => ({ rank, value })));

/** The same documents in another order, the same one in every run. */
const shuffled = documents
  .map((document, at) => ({ ...document, _id: (at * 37) % documents.length }))
  .sort((a, b) => a._id - b._id);

describe.each([
  ['in memory', false],
  ['by an index', true],
])('sorting %s', (_, indexed) => {
  it.each([
    ['ascending', 1],
    ['descending', -1],
  ] as const)('%s follows the order of types and values', async (_name, direction) => {
    const collection = await given.collection(shuffled);
    if (indexed) await collection.createIndex({ value: 1 });
    const found = await collection.find().sort({ value: direction }).project({ rank: 1 }).toArray();
    const ranks = found.map(({ rank }) => rank as number);
    const expected = documents.map(({ rank }) => rank);
    expect(ranks).toEqual(direction === 1 ? expected : expected.reverse());
  });
});

it('takes an array by its least element ascending and its greatest descending', async () => {
  const collection = await given.collection([
    { _id: 1, a: [3, 8] },
    { _id: 2, a: 5 },
    { _id: 3, a: [1, 4] },
    { _id: 4 },
  ]);
  const ids = async (direction: 1 | -1): Promise<unknown[]> =>
    collection
      .find()
      .sort({ a: direction })
      .map(({ _id }) => _id as unknown)
      .toArray();
  for (let round = 0; round < 2; round++) {
    expect(await ids(1)).toEqual([4, 3, 1, 2]);
    expect(await ids(-1)).toEqual([1, 2, 3, 4]);
    await collection.createIndex({ a: 1 });
  }
});

it('sorts by fields inside of arrays of documents', async () => {
  const collection = await given.collection([
    { _id: 1, a: [{ b: 5 }, { b: 2 }] },
    { _id: 2, a: { b: 3 } },
    { _id: 3, a: [] },
  ]);
  const ids = await collection
    .find()
    .sort({ 'a.b': 1 })
    .map(({ _id }) => _id as unknown)
    .toArray();
  expect(ids).toEqual([3, 1, 2]);
});
