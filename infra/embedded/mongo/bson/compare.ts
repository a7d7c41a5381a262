import { type Binary, type BSONRegExp, type ObjectId, type Timestamp } from 'bson';
import { readDocument } from './read';
import { compareNumbers, toDouble } from './numbers';
import { BsonType, bsonTypeOf, type Document, isNumeric, Opaque, RawBson, type Value } from './values';

/**
 * The order of types in comparisons and sorts (MongoDB manual, "BSON comparison order"), and the first byte of an encoded
 * key. STORAGE FORMAT: the numbers are written to disk. They stay between 1 and 0x7f so that neither a terminator nor an
 * inverted descending key can be mistaken for one.
 */
export const Rank = {
  minKey: 0x05,
  undefined: 0x0a,
  null: 0x0f,
  number: 0x14,
  string: 0x1e,
  object: 0x28,
  array: 0x32,
  binData: 0x3c,
  objectId: 0x46,
  bool: 0x50,
  date: 0x5a,
  timestamp: 0x5c,
  regex: 0x64,
  dbPointer: 0x65,
  javascript: 0x66,
  javascriptWithScope: 0x67,
  maxKey: 0x7f,
} as const;

const rankByType: Record<number, number> = {
  [BsonType.double]: Rank.number,
  [BsonType.int]: Rank.number,
  [BsonType.long]: Rank.number,
  [BsonType.decimal]: Rank.number,
  [BsonType.string]: Rank.string,
  [BsonType.symbol]: Rank.string,
  [BsonType.object]: Rank.object,
  [BsonType.array]: Rank.array,
  [BsonType.binData]: Rank.binData,
  [BsonType.undefined]: Rank.undefined,
  [BsonType.objectId]: Rank.objectId,
  [BsonType.bool]: Rank.bool,
  [BsonType.date]: Rank.date,
  [BsonType.null]: Rank.null,
  [BsonType.regex]: Rank.regex,
  [BsonType.dbPointer]: Rank.dbPointer,
  [BsonType.javascript]: Rank.javascript,
  [BsonType.javascriptWithScope]: Rank.javascriptWithScope,
  [BsonType.timestamp]: Rank.timestamp,
  [BsonType.minKey]: Rank.minKey,
  [BsonType.maxKey]: Rank.maxKey,
};

/** The place of a value's type in the comparison order; a missing value counts as null. */
export function rankOf(value: Value | undefined): number {
  if (typeof value === 'string') return Rank.string;
  if (typeof value === 'number') return Rank.number;
  if (value === undefined || value === null) return Rank.null;
  return rankByType[bsonTypeOf(value)]!;
}

/** The comparison order of MongoDB over all types; missing counts as null. Negative, zero or positive. */
export function compareValues(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  switch (rank) {
    case Rank.string:
      return compareStrings(textOf(a!), textOf(b!));
    case Rank.object:
      return compareDocuments(asMap(a!), asMap(b!));
    case Rank.array:
      return compareArrays(a as Value[], b as Value[]);
    case Rank.binData:
      return compareBinaries(a as Binary, b as Binary);
    case Rank.objectId:
      return Buffer.compare((a as ObjectId).id, (b as ObjectId).id);
    case Rank.bool:
      return Number(a) - Number(b);
    case Rank.date:
      return (a as Date).getTime() - (b as Date).getTime();
    case Rank.timestamp: {
      const x = timestampBits(a as Timestamp);
      const y = timestampBits(b as Timestamp);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    case Rank.regex: {
      const x = a as BSONRegExp;
      const y = b as BSONRegExp;
      return compareStrings(x.pattern, y.pattern) || compareStrings(x.options, y.options);
    }
    default:
      return a instanceof Opaque && b instanceof Opaque ? Buffer.compare(a.bytes, b.bytes) : 0;
  }
}

/** Equality as `$eq` sees it for one pair of values: numbers by value, documents by fields in order. */
export function equalValues(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') return false;
  return compareValues(a, b) === 0;
}

/** By UTF-8 bytes. UTF-16 units order alike, except that surrogates stand below U+E000 to U+FFFF. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    let x = a.charCodeAt(at);
    let y = b.charCodeAt(at);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      x = x < 0xe000 ? x + 0x10000 : x;
      y = y < 0xe000 ? y + 0x10000 : y;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** The 64 bits of a timestamp, seconds first. */
export function timestampBits(value: Timestamp): bigint {
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

/** Symbols are deprecated strings: they compare with strings by their text. */
export function textOf(value: Value): string {
  return value instanceof Opaque ? value.bytes.toString('utf8', 4, value.bytes.length - 1) : (value as string);
}

/** The document as a map, whichever form it has. */
export function asMap(value: Value): Document {
  return value instanceof RawBson ? readDocument(value.bytes) : (value as Document);
}

/** Field by field: the type first, then the name, then the value; the shorter document is less. */
function compareDocuments(a: Document, b: Document): number {
  const others = b.entries();
  for (const [name, value] of a) {
    const next = others.next();
    if (next.done) return 1;
    const [otherName, other] = next.value;
    const difference = rankOf(value) - rankOf(other) || compareStrings(name, otherName) || compareValues(value, other);
    if (difference !== 0) return difference;
  }
  return others.next().done ? 0 : -1;
}

function compareArrays(a: Value[], b: Value[]): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = compareValues(a[at], b[at]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Length, then subtype, then bytes. */
function compareBinaries(a: Binary, b: Binary): number {
  return (
    a.position - b.position ||
    a.sub_type - b.sub_type ||
    Buffer.compare(a.buffer.subarray(0, a.position), b.buffer.subarray(0, b.position))
  );
}

/** Whether a value is NaN, which equals itself but has no order in range queries. */
export function isNaNValue(value: Value | undefined): boolean {
  return isNumeric(value) && Number.isNaN(toDouble(value));
}
