import { ObjectId, Timestamp } from 'bson';
import { CommandError, notSupported } from '../errors';
import { type OperatorParser } from './expressions';
import { wholeNumber } from '../bson/numbers';
import { type Argument, isNullish, named, stringArgument } from './operands';
import { isDocument, type Value } from '../bson/values';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function dateOf(value: Value): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date((value.high >>> 0) * 1000);
  throw new CommandError(16006, "can't convert the value to Date");
}

/** The offset of `UTC`, `GMT` or `+02:00` in milliseconds. Named zones need a database that this engine does not read. */
function offsetOf(timezone: Argument): number {
  if (isNullish(timezone)) return 0;
  const text = stringArgument('timezone', timezone);
  if (/^(utc|gmt|z)$/i.test(text)) return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(text) ?? [];
  if (!sign) throw notSupported(`the time zone '${text}'; it knows UTC and offsets such as '+02:00'`);
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE;
}

const shifted = (date: Date, timezone: Argument): Date => new Date(date.getTime() + offsetOf(timezone));

/** An operator on a date, or on `{ date, timezone }`, read in UTC after the shift into the zone. */
function part(read: (date: Date) => number): OperatorParser {
  return (operand, parse, name) => {
    if (isDocument(operand) && operand.has('date'))
      return named(['date'], ['timezone'], (argument) => {
        const date = argument('date');
        return isNullish(date) ? null : read(shifted(dateOf(date), argument('timezone')));
      })(operand, parse, name);
    const value = parse(Array.isArray(operand) && operand.length === 1 ? operand[0]! : operand);
    return (root, variables) => {
      const date = value(root, variables);
      return isNullish(date) ? null : read(dateOf(date));
    };
  };
}

const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1;

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

const formats: Record<string, (date: Date, offset: number) => string> = {
  Y: (date) => pad(date.getUTCFullYear(), 4),
  m: (date) => pad(date.getUTCMonth() + 1, 2),
  d: (date) => pad(date.getUTCDate(), 2),
  H: (date) => pad(date.getUTCHours(), 2),
  M: (date) => pad(date.getUTCMinutes(), 2),
  S: (date) => pad(date.getUTCSeconds(), 2),
  L: (date) => pad(date.getUTCMilliseconds(), 3),
  j: (date) => pad(dayOfYear(date), 3),
  w: (date) => String(date.getUTCDay() + 1),
  u: (date) => String(date.getUTCDay() || 7),
  z: (_, offset) =>
    `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / (60 * MINUTE)), 2)}${pad((Math.abs(offset) / MINUTE) % 60, 2)}`,
  Z: (_, offset) => String(offset / MINUTE),
  '%': () => '%',
};

const dateToString = named(['date'], ['format', 'timezone', 'onNull'], (argument) => {
  const date = argument('date');
  if (isNullish(date)) return argument('onNull') ?? null;
  const offset = offsetOf(argument('timezone'));
  const local = new Date(dateOf(date).getTime() + offset);
  const format = argument('format') ?? `%Y-%m-%dT%H:%M:%S.%L${offset === 0 ? 'Z' : ''}`;
  return stringArgument('$dateToString', format).replace(/%(.)/g, (_, letter: string) => {
    const print = formats[letter];
    if (!print) throw new CommandError(18536, `Invalid format character '%${letter}' in format string`);
    return print(local, offset);
  });
});

const fixedUnits: Record<string, number> = {
  millisecond: 1,
  second: 1000,
  minute: MINUTE,
  hour: 60 * MINUTE,
  day: DAY,
  week: 7 * DAY,
};
const monthUnits: Record<string, number> = { month: 1, quarter: 3, year: 12 };

function checkUnit(unit: string): void {
  if (!(unit in fixedUnits) && !(unit in monthUnits))
    throw new CommandError('FailedToParse', `unknown time unit value: ${unit}`);
}

const monthsOf = (date: Date): number => date.getUTCFullYear() * 12 + date.getUTCMonth();

function addMonths(date: Date, months: number): Date {
  const target = monthsOf(date) + months;
  const year = Math.floor(target / 12);
  const month = target - year * 12;
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const result = new Date(date);
  result.setUTCFullYear(year, month, Math.min(date.getUTCDate(), days));
  return result;
}

function shift(sign: 1 | -1): OperatorParser {
  return named(['startDate', 'unit', 'amount'], ['timezone'], (argument) => {
    const [date, unit, amount] = ['startDate', 'unit', 'amount'].map(argument);
    if (isNullish(date) || isNullish(unit) || isNullish(amount)) return null;
    const name = stringArgument('unit', unit);
    checkUnit(name);
    const count = wholeNumber(amount);
    if (count === undefined) throw new CommandError(5166405, 'the amount must be a whole number');
    const start = dateOf(date);
    if (name in monthUnits) return addMonths(start, sign * count * monthUnits[name]!);
    return new Date(start.getTime() + sign * count * fixedUnits[name]!);
  });
}

/** Days from 1970-01-01 to the first day of its week. */
function weekStart(days: number, startOfWeek: string): number {
  const first = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'].indexOf(startOfWeek.slice(0, 3).toLowerCase());
  if (first < 0) throw new CommandError('FailedToParse', `unknown day of week value: ${startOfWeek}`);
  return days - ((((days - first) % 7) + 7) % 7);
}

function truncated(date: Date, unit: string, size: number, startOfWeek: string): Date {
  if (unit in monthUnits) {
    const step = monthUnits[unit]! * size;
    const month = Math.floor((monthsOf(date) - 24000) / step) * step + 24000;
    return new Date(Date.UTC(Math.floor(month / 12), ((month % 12) + 12) % 12, 1));
  }
  const reference = Date.UTC(2000, 0, 1);
  if (unit === 'week') {
    const base = weekStart(reference / DAY + 6, startOfWeek) * DAY;
    return new Date(base + Math.floor((date.getTime() - base) / (7 * DAY * size)) * 7 * DAY * size);
  }
  const step = fixedUnits[unit]! * size;
  return new Date(reference + Math.floor((date.getTime() - reference) / step) * step);
}

const dateTrunc = named(['date', 'unit'], ['binSize', 'timezone', 'startOfWeek'], (argument) => {
  const [date, unit] = [argument('date'), argument('unit')];
  if (isNullish(date) || isNullish(unit)) return null;
  const name = stringArgument('unit', unit);
  checkUnit(name);
  const offset = offsetOf(argument('timezone'));
  const local = new Date(dateOf(date).getTime() + offset);
  const start = truncated(
    local,
    name,
    wholeNumber(argument('binSize')) ?? 1,
    stringArgument('startOfWeek', argument('startOfWeek') ?? 'sunday'),
  );
  return new Date(start.getTime() - offset);
});

const dateDiff = named(['startDate', 'endDate', 'unit'], ['timezone', 'startOfWeek'], (argument) => {
  const [start, end, unit] = ['startDate', 'endDate', 'unit'].map(argument);
  if (isNullish(start) || isNullish(end) || isNullish(unit)) return null;
  const name = stringArgument('unit', unit);
  checkUnit(name);
  const [from, to] = [shifted(dateOf(start), argument('timezone')), shifted(dateOf(end), argument('timezone'))];
  if (name in monthUnits) {
    const index = (date: Date): number => Math.floor(monthsOf(date) / monthUnits[name]!);
    return BigInt(index(to) - index(from));
  }
  if (name === 'week') {
    const first = stringArgument('startOfWeek', argument('startOfWeek') ?? 'sunday');
    const week = (date: Date): number => weekStart(Math.floor(date.getTime() / DAY), first) / 7;
    return BigInt(Math.round(week(to) - week(from)));
  }
  const bucket = (date: Date): number => Math.floor(date.getTime() / fixedUnits[name]!);
  return BigInt(bucket(to) - bucket(from));
});

export const dateOperators: Record<string, OperatorParser> = {
  $year: part((date) => date.getUTCFullYear()),
  $month: part((date) => date.getUTCMonth() + 1),
  $dayOfMonth: part((date) => date.getUTCDate()),
  $dayOfWeek: part((date) => date.getUTCDay() + 1),
  $isoDayOfWeek: part((date) => date.getUTCDay() || 7),
  $dayOfYear: part(dayOfYear),
  $hour: part((date) => date.getUTCHours()),
  $minute: part((date) => date.getUTCMinutes()),
  $second: part((date) => date.getUTCSeconds()),
  $millisecond: part((date) => date.getUTCMilliseconds()),
  $dateToString: dateToString,
  $dateAdd: shift(1),
  $dateSubtract: shift(-1),
  $dateTrunc: dateTrunc,
  $dateDiff: dateDiff,
};
