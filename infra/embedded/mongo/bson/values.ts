import {
  type Binary,
  type BSONRegExp,
  Decimal128,
  Double,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  Binary as BinaryClass,
  BSONRegExp as RegExpClass,
} from 'bson';

/** BSON element types (bsonspec.org, version 1.1). */
export const BsonType = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binData: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  bool: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  dbPointer: 0x0c,
  javascript: 0x0d,
  symbol: 0x0e,
  javascriptWithScope: 0x0f,
  int: 0x10,
  timestamp: 0x11,
  long: 0x12,
  decimal: 0x13,
  minKey: 0xff,
  maxKey: 0x7f,
} as const;

/** A value of a deprecated BSON type, kept and compared as its bytes. */
export class Opaque {
  constructor(
    readonly type: number,
    readonly bytes: Buffer,
  ) {}
}

/** A document with its field order; a plain object would move number-like names to the front. */
export type Document = Map<string, Value>;

/** Anything a field can be read from: a decoded document or the raw bytes of one. */
export interface Fields {
  get(name: string): Value | undefined;
}

/** BSON bytes standing for a whole document; written to replies and to storage as they are. */
export class RawBson {
  constructor(readonly bytes: Buffer) {}
}

/**
 * A BSON value without loss of type: an int32 is an integral JS number, a double is any other JS number or a `Double`
 * when integral, an int64 is a bigint.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Double
  | Decimal128
  | ObjectId
  | Binary
  | Timestamp
  | BSONRegExp
  | MinKey
  | MaxKey
  | Opaque
  | RawBson
  | Value[]
  | Document;

/** A number of any of the four numeric BSON types. */
export type Numeric = number | bigint | Double | Decimal128;

export function isNumeric(value: Value | undefined): value is Numeric {
  return (
    typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Decimal128
  );
}

export function isDocument(value: Value | undefined): value is Document {
  return value instanceof Map;
}

/** The double for a JS number, so that an integral one does not turn into an int32 when written. */
export function double(value: number): number | Double {
  return Number.isInteger(value) ? new Double(value) : value;
}

/** Builds a document from a literal; for replies and specifications made by the engine itself. */
export function document(fields: Record<string, Value | undefined>): Document {
  const result: Document = new Map();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) result.set(name, value);
  return result;
}

const isInt32 = (value: number): boolean => (value | 0) === value && !Object.is(value, -0);

/** The BSON element type under which `value` is written. */
export function bsonTypeOf(value: Value): number {
  switch (typeof value) {
    case 'number':
      return isInt32(value) ? BsonType.int : BsonType.double;
    case 'string':
      return BsonType.string;
    case 'boolean':
      return BsonType.bool;
    case 'bigint':
      return BsonType.long;
    default:
      break;
  }
  if (value === null) return BsonType.null;
  if (value instanceof Map || value instanceof RawBson) return BsonType.object;
  if (Array.isArray(value)) return BsonType.array;
  if (value instanceof ObjectId) return BsonType.objectId;
  if (value instanceof Date) return BsonType.date;
  if (value instanceof Double) return BsonType.double;
  if (value instanceof Decimal128) return BsonType.decimal;
  if (value instanceof BinaryClass) return BsonType.binData;
  if (value instanceof Timestamp) return BsonType.timestamp;
  if (value instanceof RegExpClass) return BsonType.regex;
  if (value instanceof MinKey) return BsonType.minKey;
  if (value instanceof MaxKey) return BsonType.maxKey;
  return value.type;
}

/** The alias that `$type` takes and that error messages show, for example `int` or `objectId`. */
export function typeAlias(value: Value | undefined): string {
  if (value === undefined) return 'missing';
  const type = bsonTypeOf(value);
  return Object.entries(BsonType).find(([, code]) => code === type)?.[0] ?? `type ${type}`;
}

/** MongoDB's truth of an expression value: all but false, null, undefined, missing and zero. */
export function isTruthy(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (isNumeric(value)) return Number(value instanceof Double ? value.value : value) !== 0;
  return !(value instanceof Opaque && value.type === BsonType.undefined);
}
