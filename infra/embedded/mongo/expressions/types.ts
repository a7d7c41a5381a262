import { Binary, Decimal128, Double, ObjectId, Timestamp } from 'bson';
import { CommandError } from '../errors';
import { type OperatorParser } from './expressions';
import { decimal, toDouble } from '../bson/numbers';
import { type Argument, isNullish, named, operator } from './operands';
import { shown } from '../bson/shown';
import { BsonType, double, isNumeric, isTruthy, typeAlias, type Value } from '../bson/values';

const failure = (value: Value, type: string): CommandError =>
  new CommandError(241, `Failed to convert ${shown(value)} to ${type} in $convert with no onError value`);

type Conversion = (value: Value) => Value;

function number(value: Value, type: string): number | bigint {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return value;
  if (value instanceof Date) return BigInt(value.getTime());
  if (isNumeric(value)) return toDouble(value);
  if (typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value))
    return /^[+-]?\d+$/.test(value) && !Number.isSafeInteger(Number(value)) ? BigInt(value) : Number(value);
  throw failure(value, type);
}

const toInteger =
  (bits: 32 | 64): Conversion =>
  (value) => {
    const type = bits === 32 ? 'int' : 'long';
    if (bits === 32 && value instanceof Date) throw failure(value, type);
    const given = number(value, type);
    if (
      typeof given === 'number' &&
      (!Number.isFinite(given) || (typeof value === 'string' && !/^[+-]?\d+$/.test(value)))
    )
      throw failure(value, type);
    const integer = typeof given === 'bigint' ? given : BigInt(Math.trunc(given));
    if (BigInt.asIntN(bits, integer) !== integer) throw failure(value, type);
    return bits === 32 ? Number(integer) : integer;
  };

const toText: Conversion = (value) => {
  if (typeof value === 'string') return value;
  if (value instanceof Double) return String(value.value);
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) return value.toUUID().toHexString();
  if (value instanceof Decimal128) return value.toString();
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  throw failure(value, 'string');
};

const toDate: Conversion = (value) => {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date((value.high >>> 0) * 1000);
  if (typeof value === 'bigint' || value instanceof Double || value instanceof Decimal128)
    return new Date(toDouble(value));
  if (typeof value === 'string') {
    const date = new Date(/T.*(Z|[+-]\d\d:?\d\d)$|^\d{4}(-\d\d){0,2}$/.test(value) ? value : `${value}Z`);
    if (!Number.isNaN(date.getTime())) return date;
  }
  throw failure(value, 'date');
};

const conversions: Record<string, Conversion> = {
  double: (value) => double(Number(number(value, 'double'))),
  string: toText,
  objectId: (value) => {
    if (value instanceof ObjectId) return value;
    if (typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value)) return new ObjectId(value);
    throw failure(value, 'objectId');
  },
  bool: (value) => (!isNumeric(value) || toDouble(value) !== 0 ? value !== false : false),
  date: toDate,
  int: toInteger(32),
  long: toInteger(64),
  decimal: (value) =>
    value instanceof Decimal128
      ? value
      : decimal(typeof value === 'string' ? value : number(value, 'decimal').toString()),
};

function convert(value: Argument, type: string): Value {
  if (isNullish(value)) return null;
  const conversion = conversions[type];
  if (!conversion) throw new CommandError('BadValue', `Unknown type name: ${type}`);
  return conversion(value);
}

const to = (type: string): OperatorParser => operator(1, 1, (value) => convert(value, type));

const convertOperator = named(['input', 'to'], ['onError', 'onNull'], (argument) => {
  const input = argument('input');
  if (isNullish(input)) return argument('onNull') ?? null;
  const target = argument('to');
  if (isNullish(target)) return null;
  const code = isNumeric(target) ? toDouble(target) : undefined;
  const type =
    code === undefined
      ? typeof target === 'string'
        ? target
        : ''
      : (Object.entries(BsonType).find(([, value]) => value === code)?.[0] ?? '');
  try {
    return convert(input, type);
  } catch (error) {
    const otherwise = argument('onError');
    if (error instanceof CommandError && error.code === 241 && otherwise !== undefined) return otherwise;
    throw error;
  }
});

export const typeOperators: Record<string, OperatorParser> = {
  $type: operator(1, 1, (value) => typeAlias(value)),
  $isNumber: operator(1, 1, (value) => isNumeric(value)),
  $convert: convertOperator,
  $toBool: operator(1, 1, (value) => (isNullish(value) ? null : isNumeric(value) ? isTruthy(value) : value !== false)),
  $toDate: to('date'),
  $toDecimal: to('decimal'),
  $toDouble: to('double'),
  $toInt: to('int'),
  $toLong: to('long'),
  $toObjectId: to('objectId'),
  $toString: to('string'),
};
