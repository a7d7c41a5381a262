import fc from 'fast-check';
import { Binary, BSON, BSONRegExp, Decimal128, Double, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { compareValues } from './compare';
import { encodeKey, fitKey, invert } from './key-encoding';
import { readDocument, validateDocument } from './read';
import { type Document, double, type Value } from './values';
import { writeDocument } from './write';

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -60, max: 60 }))
  .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`));

/** Numbers that lie close together, where types differ but values may not. */
const neighbours = fc
  .tuple(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(2n ** 53n, 2n ** 62n, -(2n ** 53n), 0n, 1n),
    fc.constantFrom('long', 'double', 'decimal'),
  )
  .map(([offset, base, type]): Value => {
    const value = base + offset;
    return type === 'long' ? value : type === 'double' ? double(Number(value)) : Decimal128.fromString(String(value));
  });

/** Of any characters but halves of one: `fc.string` would list the whole of Unicode first. */
const texts = fc
  .array(fc.integer({ min: 0, max: 0x10_ffff - 0x800 }).map((n) => (n < 0xd800 ? n : n + 0x800)))
  .map((points) => String.fromCodePoint(...points));

const scalars: fc.Arbitrary<Value> = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double().map((value) => double(value)),
  decimals,
  neighbours,
  texts,
  fc.constantFrom<Value>(
    '',
    '\0',
    'a\0',
    'a\0b',
    'a',
    '\uffff',
    '🎓',
    null,
    true,
    false,
    new MinKey(),
    new MaxKey(),
    new Double(-0),
  ),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(0, 5)).map(([bytes, type]) => new Binary(bytes, type)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc.string({ maxLength: 3 }).map((pattern) => new BSONRegExp(pattern.replaceAll('\0', ''), 'i')),
);

const names = fc.string({ maxLength: 3 }).map((name) => name.replaceAll('\0', ''));

const { values } = fc.letrec<{ values: Value; documents: Document }>((tie) => ({
  values: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    scalars,
    fc.array(tie('values'), { maxLength: 3, depthIdentifier: 'value' }),
    tie('documents'),
  ),
  documents: fc
    .uniqueArray(fc.tuple(names, tie('values')), { maxLength: 3, selector: ([name]) => name, depthIdentifier: 'value' })
    .map((fields): Document => new Map(fields)),
}));

const RUNS = process.env.ATTEST_TEST_FULL_SIZE ? 3_000 : 600;

const sign = (order: number): number => Math.sign(order);

it('encodes in the order in which values compare', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(sign(Buffer.compare(encodeKey(a), encodeKey(b)))).toBe(sign(compareValues(a, b)));
    }),
    { numRuns: RUNS, seed: 7 },
  );
});

it('orders numbers of all types by value', () => {
  const numbers = fc.oneof(
    neighbours,
    decimals,
    fc.integer({ min: -3, max: 3 }),
    fc.double().map((value) => double(value)),
  );
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(sign(Buffer.compare(encodeKey(a), encodeKey(b)))).toBe(sign(compareValues(a, b)));
      expect(sign(compareValues(a, b))).toBe(-sign(compareValues(b, a)) + 0);
    }),
    { numRuns: RUNS, seed: 8 },
  );
});

it('orders compound keys field by field, also descending ones', () => {
  fc.assert(
    fc.property(scalars, scalars, scalars, scalars, fc.constantFrom(1, -1), (a, b, c, d, direction) => {
      const key = (x: Value, y: Value): Buffer =>
        Buffer.concat([direction === 1 ? encodeKey(x) : invert(encodeKey(x)), encodeKey(y)]);
      const expected = compareValues(a, c) * direction || compareValues(b, d);
      expect(sign(Buffer.compare(key(a, b), key(c, d)))).toBe(sign(expected));
    }),
    { numRuns: RUNS, seed: 9 },
  );
});

it('gives no key that begins with another one', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [x, y] = [encodeKey(a), encodeKey(b)];
      if (compareValues(a, b) !== 0) expect(y.subarray(0, x.length).equals(x)).toBe(false);
    }),
    { numRuns: RUNS, seed: 10 },
  );
});

it('keeps long keys apart', () => {
  const long = 'x'.repeat(3_000);
  const [a, b] = [fitKey(encodeKey(`${long}a`)), fitKey(encodeKey(`${long}b`))];
  expect(a.truncated && b.truncated).toBe(true);
  expect(a.key.length).toBeLessThan(1_978 - 11);
  expect(a.key.equals(b.key)).toBe(false);
  expect(fitKey(encodeKey(`${long}a`)).key.equals(a.key)).toBe(true);
});

it('writes BSON that the official package reads, and reads it back unchanged', () => {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = writeDocument(new Map([['v', value]]));
      expect(validateDocument(bytes, 0, bytes.length)).toBe(bytes.length);
      expect(writeDocument(readDocument(bytes)).equals(bytes)).toBe(true);
      expect(BSON.calculateObjectSize(BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true }))).toBe(
        bytes.length,
      );
    }),
    { numRuns: RUNS, seed: 11 },
  );
});
