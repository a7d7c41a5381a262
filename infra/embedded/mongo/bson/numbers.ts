import { Decimal128, Double } from 'bson';
import { CommandError } from '../errors';
import { double, isNumeric, type Numeric, type Value } from './values';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The nearest double. */
export function toDouble(value: Numeric): number {
  if (typeof value === 'number') return value;
  if (value instanceof Double) return value.value;
  return value instanceof Decimal128 ? Number(value.toString()) : Number(value);
}

/** A finite number as `coefficient * 10 ** exponent`, without loss. */
export interface ExactDecimal {
  coefficient: bigint;
  exponent: number;
}

/** The exact decimal value of a finite number of any type. Every double has one, since 2 divides 10. */
export function exactDecimal(value: Numeric): ExactDecimal {
  if (typeof value === 'bigint') return { coefficient: value, exponent: 0 };
  if (value instanceof Decimal128) {
    const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d*))?(?:E([+-]?\d+))?$/.exec(
      value.toString(),
    )!;
    return { coefficient: BigInt(`${sign}${whole}${fraction}`), exponent: Number(power) - fraction.length };
  }
  return exactDouble(toDouble(value));
}

function exactDouble(value: number): ExactDecimal {
  if (Number.isInteger(value)) return { coefficient: BigInt(value), exponent: 0 };
  let shift = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    // Doubling is exact, and a double has at most 1074 binary places.
    scaled *= 2;
    shift++;
  }
  return { coefficient: BigInt(scaled) * 5n ** BigInt(shift), exponent: -shift };
}

const isFiniteNumber = (value: Numeric): boolean =>
  value instanceof Decimal128 ? !/inf|nan/i.test(value.toString()) : Number.isFinite(toDouble(value));

/** Numeric order across types, by value; NaN is equal to itself and below everything else, as MongoDB sorts it. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const x = toDouble(a);
  const y = toDouble(b);
  if (x < y) return -1;
  if (x > y) return 1;
  if (x !== y) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : -1) : 1;
  // The nearest doubles are equal: only an int64 or a decimal can still differ.
  const exactTypes = (value: Numeric): boolean => typeof value === 'number' || value instanceof Double;
  if (exactTypes(a) && exactTypes(b)) return 0;
  if (!isFiniteNumber(a) || !isFiniteNumber(b)) {
    if (!isFiniteNumber(a) && !isFiniteNumber(b)) return 0;
    return isFiniteNumber(b) === x > 0 ? 1 : -1;
  }
  return compareExact(exactDecimal(a), exactDecimal(b));
}

export function compareExact(a: ExactDecimal, b: ExactDecimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const x = a.coefficient * 10n ** BigInt(a.exponent - exponent);
  const y = b.coefficient * 10n ** BigInt(b.exponent - exponent);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** An integer as int32 where it fits and the operands were int32, else as int64. */
function integer(value: bigint, asLong: boolean): number | bigint {
  if (value < INT64_MIN || value > INT64_MAX)
    throw new CommandError('BadValue', 'The result does not fit into a 64-bit integer');
  return asLong || BigInt.asIntN(32, value) !== value ? value : Number(value);
}

const isIntegral = (value: Numeric): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0));

type Arithmetic = 'add' | 'subtract' | 'multiply';

/**
 * Adds, subtracts or multiplies with MongoDB's promotions: int32 overflows to int64, an integer with a double gives a
 * double, anything with a decimal gives a decimal.
 * @throws CommandError BadValue (2) when an int64 overflows.
 */
export function arithmetic(operation: Arithmetic, a: Numeric, b: Numeric): Numeric {
  if (a instanceof Decimal128 || b instanceof Decimal128) return decimalArithmetic(operation, a, b);
  if (isIntegral(a) && isIntegral(b)) {
    const asLong = typeof a === 'bigint' || typeof b === 'bigint';
    if (!asLong) {
      const small = apply(operation, a, b);
      if (Number.isSafeInteger(small) && (small | 0) === small) return small === 0 ? 0 : small;
    }
    return integer(applyExact(operation, BigInt(a), BigInt(b)), asLong);
  }
  return double(apply(operation, toDouble(a), toDouble(b)));
}

function apply(operation: Arithmetic, a: number, b: number): number {
  return operation === 'add' ? a + b : operation === 'subtract' ? a - b : a * b;
}

function applyExact(operation: Arithmetic, a: bigint, b: bigint): bigint {
  return operation === 'add' ? a + b : operation === 'subtract' ? a - b : a * b;
}

function decimalArithmetic(operation: Arithmetic, a: Numeric, b: Numeric): Decimal128 {
  if (!isFiniteNumber(a) || !isFiniteNumber(b)) return decimal(String(apply(operation, toDouble(a), toDouble(b))));
  const x = decimalOperand(a);
  const y = decimalOperand(b);
  if (operation === 'multiply')
    return fromExact({ coefficient: x.coefficient * y.coefficient, exponent: x.exponent + y.exponent });
  const exponent = Math.min(x.exponent, y.exponent);
  const left = x.coefficient * 10n ** BigInt(x.exponent - exponent);
  const right = y.coefficient * 10n ** BigInt(y.exponent - exponent);
  return fromExact({ coefficient: applyExact(operation, left, right), exponent });
}

/** A double enters decimal arithmetic with the 15 digits that it is sure of, as the server converts it. */
function decimalOperand(value: Numeric): ExactDecimal {
  if (typeof value === 'bigint' || value instanceof Decimal128) return exactDecimal(value);
  const number = toDouble(value);
  return exactDecimal(Number.isSafeInteger(number) ? BigInt(number) : decimal(number.toPrecision(15)));
}

/** Divides two exact decimals to 34 digits, the precision of Decimal128. */
export function divideDecimals(a: Numeric, b: Numeric): Decimal128 {
  if (!isFiniteNumber(a) || !isFiniteNumber(b)) return decimal(String(toDouble(a) / toDouble(b)));
  const x = decimalOperand(a);
  const y = decimalOperand(b);
  const scale = 40;
  return fromExact({
    coefficient: (x.coefficient * 10n ** BigInt(scale)) / y.coefficient,
    exponent: x.exponent - y.exponent - scale,
  });
}

function fromExact({ coefficient, exponent }: ExactDecimal): Decimal128 {
  let digits = (coefficient < 0n ? -coefficient : coefficient).toString();
  let power = exponent;
  while (power < 0 && digits.length > 34 && digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    power++;
  }
  return Decimal128.fromStringWithRounding(`${coefficient < 0n ? '-' : ''}${digits}E${power}`);
}

/** Decimal128 from text in any form that JavaScript or BSON writes numbers. */
export function decimal(text: string): Decimal128 {
  return Decimal128.fromStringWithRounding(text);
}

/** A value as an integer, or undefined when it is not a number or has a fraction. */
export function wholeNumber(value: Value | undefined): number | undefined {
  if (!isNumeric(value)) return undefined;
  const number = toDouble(value);
  return Number.isInteger(number) ? number : undefined;
}
