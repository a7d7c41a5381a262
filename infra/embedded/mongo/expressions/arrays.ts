import { compareValues, equalValues } from '../bson/compare';
import { CommandError } from '../errors';
import { type OperatorParser } from './expressions';
import { wholeNumber } from '../bson/numbers';
import { type Argument, arrayArgument, isNullish, namedExpressions, operator, strict, wrongType } from './operands';
import { arrayOrder } from '../update/operators';
import { isTruthy, type Value } from '../bson/values';

function index(name: string, value: Argument): number {
  const number = wholeNumber(value);
  if (number === undefined) throw wrongType(name, 'a whole number', value);
  return number;
}

/** `$filter`, `$map`: evaluates `body` for each element, bound to the variable `as`. */
function perElement(
  bodyName: 'cond' | 'in',
  collect: (items: Value[], results: Argument[], limit: number) => Value,
): OperatorParser {
  return (operand, parse, name) => {
    const withoutAs = operand instanceof Map ? new Map([...operand].filter(([key]) => key !== 'as')) : operand;
    const args = namedExpressions(name, withoutAs, ['input', bodyName], bodyName === 'cond' ? ['limit'] : [], parse);
    const as = operand instanceof Map ? (operand.get('as') ?? 'this') : 'this';
    const body = args.get(bodyName)!;
    return (root, variables) => {
      const input = args.get('input')!(root, variables);
      if (isNullish(input)) return null;
      const items = arrayArgument(name, input);
      const results = items.map((item) => body(root, new Map([...variables, [as as string, item]])));
      return collect(items, results, wholeNumber(args.get('limit')?.(root, variables)) ?? Infinity);
    };
  };
}

const reduce: OperatorParser = (operand, parse, name) => {
  const args = namedExpressions(name, operand, ['input', 'initialValue', 'in'], [], parse);
  return (root, variables) => {
    const input = args.get('input')!(root, variables);
    if (isNullish(input)) return null;
    let value = args.get('initialValue')!(root, variables);
    for (const item of arrayArgument(name, input))
      value = args.get('in')!(root, new Map([...variables, ['value', value], ['this', item]]));
    return value;
  };
};

/** `$slice`: [array, count] or [array, position, count]. */
const slice = strict(2, 3, (input, a, b) => {
  const items = arrayArgument('$slice', input);
  const first = index('$slice', a);
  if (b === undefined) return first >= 0 ? items.slice(0, first) : items.slice(first);
  const count = index('$slice', b);
  if (count <= 0) throw new CommandError(28729, 'Third argument to $slice must be positive');
  const start = first >= 0 ? first : Math.max(0, items.length + first);
  return items.slice(start, start + count);
});

const range = strict(2, 3, (from, to, by = 1) => {
  const [start, end, step] = [index('$range', from), index('$range', to), index('$range', by)];
  if (step === 0) throw new CommandError(34449, '$range requires a non-zero step value');
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (length > 1_000_000) throw new CommandError(146, '$range would use too much memory');
  return Array.from({ length }, (_, at) => start + at * step);
});

const has = (items: readonly Value[], value: Argument): boolean => items.some((item) => equalValues(item, value));

function distinct(items: readonly Value[]): Value[] {
  const kept: Value[] = [];
  for (const item of [...items].sort(compareValues))
    if (kept.length === 0 || !equalValues(kept.at(-1), item)) kept.push(item);
  return kept;
}

const set = (name: string, least: number, most: number, apply: (...sets: Value[][]) => Value): OperatorParser =>
  strict(least, most, (...args) => apply(...args.map((arg) => arrayArgument(name, arg))));

const element = (name: string, at: (items: Value[]) => Argument): OperatorParser =>
  operator(1, 1, (value) => (isNullish(value) ? null : at(arrayArgument(name, value))));

export const arrayOperators: Record<string, OperatorParser> = {
  $size: operator(1, 1, (value) => {
    if (!Array.isArray(value)) throw new CommandError(17124, 'The argument to $size must be an array');
    return value.length;
  }),
  $arrayElemAt: strict(2, 2, (input, at) => arrayArgument('$arrayElemAt', input).at(index('$arrayElemAt', at))),
  $first: element('$first', (items) => items[0]),
  $last: element('$last', (items) => items.at(-1)),
  $concatArrays: strict(0, Infinity, (...arrays) => arrays.flatMap((array) => arrayArgument('$concatArrays', array))),
  $slice: slice,
  $in: operator(2, 2, (value, items) => {
    if (!Array.isArray(items)) throw new CommandError(40081, '$in requires an array as a second argument');
    return has(items, value);
  }),
  $filter: perElement('cond', (items, results, limit) =>
    items.filter((_, at) => isTruthy(results[at])).slice(0, limit),
  ),
  $map: perElement('in', (_, results) => results.map((result) => result ?? null)),
  $reduce: reduce,
  $range: range,
  $reverseArray: strict(1, 1, (input) => [...arrayArgument('$reverseArray', input)].reverse()),
  $isArray: operator(1, 1, (value) => Array.isArray(value)),
  $indexOfArray: strict(2, 4, (input, value, start = 0, end) => {
    const items = arrayArgument('$indexOfArray', input);
    const from = index('$indexOfArray', start);
    const to = end === undefined ? items.length : index('$indexOfArray', end);
    return items.findIndex((item, at) => at >= from && at < to && equalValues(item, value));
  }),
  $sortArray: (operand, parse, name) => {
    const args = namedExpressions(name, operand, ['input', 'sortBy'], [], parse);
    const order = arrayOrder((operand as ReadonlyMap<string, Value>).get('sortBy')!);
    return (root, variables) => {
      const input = args.get('input')!(root, variables);
      return isNullish(input) ? null : [...arrayArgument(name, input)].sort(order);
    };
  },
  $setUnion: set('$setUnion', 0, Infinity, (...sets) => distinct(sets.flat())),
  $setIntersection: set('$setIntersection', 0, Infinity, (first = [], ...others) =>
    distinct(first.filter((item) => others.every((other) => has(other, item)))),
  ),
  $setDifference: set('$setDifference', 2, 2, (a = [], b = []) =>
    a.filter((item, at) => !has(b, item) && a.findIndex((other) => equalValues(other, item)) === at),
  ),
  $setEquals: set('$setEquals', 2, Infinity, (first = [], ...others) =>
    others.every((other) => first.every((item) => has(other, item)) && other.every((item) => has(first, item))),
  ),
  $setIsSubset: set('$setIsSubset', 2, 2, (a = [], b = []) => a.every((item) => has(b, item))),
  $anyElementTrue: operator(1, 1, (value) => arrayArgument('$anyElementTrue', value).some(isTruthy)),
  $allElementsTrue: operator(1, 1, (value) => arrayArgument('$allElementsTrue', value).every(isTruthy)),
};
