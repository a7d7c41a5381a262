import { Decimal128 } from 'bson';
import { compareValues } from '../bson/compare';
import { CommandError } from '../errors';
import { type OperatorParser } from './expressions';
import { arithmetic, decimal, divideDecimals, toDouble, wholeNumber } from '../bson/numbers';
import { type Argument, isNullish, operator, strict, wrongType } from './operands';
import { double, isNumeric, type Numeric, type Value } from '../bson/values';

function numeric(name: string, value: Argument): Numeric {
  if (!isNumeric(value)) throw wrongType(name, 'a number', value);
  return value;
}

/** `$add` of numbers, or of one date and numbers of milliseconds. */
const add = strict(0, Infinity, (...values) => {
  const dates = values.filter((value) => value instanceof Date);
  if (dates.length > 1) throw new CommandError(16612, 'only one date allowed in an $add expression');
  const numbers = values.filter((value) => !(value instanceof Date)).map((value) => numeric('$add', value));
  const sum = numbers.reduce<Numeric>((total, value) => arithmetic('add', total, value), 0);
  return dates[0] ? new Date(dates[0].getTime() + toDouble(sum)) : sum;
});

const subtract = strict(2, 2, (a, b) => {
  if (a instanceof Date && b instanceof Date) return BigInt(a.getTime() - b.getTime());
  if (a instanceof Date) return new Date(a.getTime() - toDouble(numeric('$subtract', b)));
  return arithmetic('subtract', numeric('$subtract', a), numeric('$subtract', b));
});

/** Divides as doubles, or as decimals when one is a decimal. @throws CommandError BadValue (2) for a divisor of zero. */
export function divide(a: Numeric, b: Numeric): Numeric {
  if (toDouble(b) === 0) throw new CommandError('BadValue', "can't $divide by zero");
  if (a instanceof Decimal128 || b instanceof Decimal128) return divideDecimals(a, b);
  return double(toDouble(a) / toDouble(b));
}

const mod = strict(2, 2, (a, b) => {
  const [x, y] = [numeric('$mod', a), numeric('$mod', b)];
  if (toDouble(y) === 0) throw new CommandError(16610, "can't $mod by zero");
  if (typeof x === 'bigint' || typeof y === 'bigint') {
    const [m, n] = [wholeNumber(x), wholeNumber(y)];
    if (m !== undefined && n !== undefined) return BigInt(x as bigint | number) % BigInt(y as bigint | number);
  }
  const rest = toDouble(x) % toDouble(y);
  if (x instanceof Decimal128 || y instanceof Decimal128) return decimal(String(rest));
  return typeof x === 'number' && typeof y === 'number' ? (rest === 0 ? 0 : rest) : double(rest);
});

/** A function of one number that keeps integers integers. */
function rounding(name: string, apply: (value: number) => number): OperatorParser {
  return strict(1, 1, (value) => sameType(numeric(name, value), apply));
}

function sameType(value: Numeric, apply: (value: number) => number): Value {
  if (typeof value === 'bigint') return value;
  const result = apply(toDouble(value));
  if (value instanceof Decimal128) return decimal(String(result));
  return typeof value === 'number' && Number.isInteger(value) ? result : double(result);
}

/** A function of one number that gives a double. */
function transcendental(name: string, apply: (value: number) => number): OperatorParser {
  return strict(1, 1, (value) => {
    const number = numeric(name, value);
    const result = apply(toDouble(number));
    return number instanceof Decimal128 ? decimal(String(result)) : double(result);
  });
}

/** Rounds half to even, as the server does. */
function roundAt(value: number, places: number): number {
  const scale = 10 ** places;
  const scaled = value * scale;
  const floor = Math.floor(scaled);
  const difference = scaled - floor;
  const rounded = difference === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(scaled);
  return Number.isFinite(scaled) ? rounded / scale : value;
}

function toPlace(name: string, apply: (value: number, places: number) => number): OperatorParser {
  return operator(1, 2, (value, place = 0) => {
    if (isNullish(value) || place === null) return null;
    const places = wholeNumber(place);
    if (places === undefined || places < -20 || places > 100)
      throw new CommandError(51083, `${name} needs a place from -20 to 100`);
    if (typeof value === 'bigint' && places >= 0) return value;
    return sameType(numeric(name, value), (number) => apply(number, places));
  });
}

function power(base: Numeric, exponent: Numeric): Value {
  const result = toDouble(base) ** toDouble(exponent);
  if (base instanceof Decimal128 || exponent instanceof Decimal128) return decimal(String(result));
  const integral = [base, exponent].every(
    (value) => typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)),
  );
  if (!integral || !Number.isInteger(result) || toDouble(exponent) < 0) return double(result);
  const exact = BigInt(toDouble(base)) ** BigInt(toDouble(exponent));
  if (typeof base === 'number' && typeof exponent === 'number' && BigInt.asIntN(32, exact) === exact)
    return Number(exact);
  return BigInt.asIntN(64, exact) === exact ? exact : double(result);
}

/** The numbers among the arguments, or among the elements of a single array argument. */
function numbersOf(values: Argument[]): Numeric[] {
  const items = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  return items.filter((value): value is Numeric => isNumeric(value));
}

/** The sum of the numbers among `values`; anything else is left out. */
export function sum(values: Argument[]): Numeric {
  return numbersOf(values).reduce<Numeric>((total, value) => addLenient(total, value), 0);
}

/** A sum that goes on as a double where an int64 would overflow, as `$sum` does. */
export function addLenient(a: Numeric, b: Numeric): Numeric {
  try {
    return arithmetic('add', a, b);
  } catch (error) {
    if (error instanceof CommandError) return double(toDouble(a) + toDouble(b));
    throw error;
  }
}

/** The mean of the numbers among `values`, or null without any. */
function average(values: Argument[]): Numeric | null {
  const numbers = numbersOf(values);
  return numbers.length === 0 ? null : divide(sum(numbers), numbers.length);
}

/** The least (-1) or greatest (1) of the values that are not null. */
export function extreme(values: Argument[], sign: 1 | -1): Value {
  const items = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  let best: Argument;
  for (const item of items)
    if (!isNullish(item) && (best === undefined || compareValues(item, best) * sign > 0)) best = item;
  return best ?? null;
}

export const arithmeticOperators: Record<string, OperatorParser> = {
  $add: add,
  $subtract: subtract,
  $multiply: strict(0, Infinity, (...values) =>
    values
      .map((value) => numeric('$multiply', value))
      .reduce<Numeric>((total, value) => arithmetic('multiply', total, value), 1),
  ),
  $divide: strict(2, 2, (a, b) => divide(numeric('$divide', a), numeric('$divide', b))),
  $mod: mod,
  $abs: strict(1, 1, (value) => {
    const number = numeric('$abs', value);
    return toDouble(number) < 0 ? arithmetic('subtract', 0, number) : number;
  }),
  $ceil: rounding('$ceil', Math.ceil),
  $floor: rounding('$floor', Math.floor),
  $round: toPlace('$round', roundAt),
  $trunc: toPlace('$trunc', (value, places) => Math.trunc(value * 10 ** places) / 10 ** places),
  $sqrt: transcendental('$sqrt', (value) => {
    if (value < 0) throw new CommandError(28714, "$sqrt's argument must be greater than or equal to 0");
    return Math.sqrt(value);
  }),
  $exp: transcendental('$exp', Math.exp),
  $ln: transcendental('$ln', Math.log),
  $log10: transcendental('$log10', Math.log10),
  $log: strict(2, 2, (value, base) =>
    double(Math.log(toDouble(numeric('$log', value))) / Math.log(toDouble(numeric('$log', base)))),
  ),
  $pow: strict(2, 2, (base, exponent) => power(numeric('$pow', base), numeric('$pow', exponent))),
  $sum: operator(0, Infinity, (...values) => sum(values)),
  $avg: operator(0, Infinity, (...values) => average(values)),
  $min: operator(0, Infinity, (...values) => extreme(values, -1)),
  $max: operator(0, Infinity, (...values) => extreme(values, 1)),
};
