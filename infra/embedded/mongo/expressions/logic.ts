import { compareValues } from '../bson/compare';
import { CommandError } from '../errors';
import { type Expression, type OperatorParser } from './expressions';
import { isNullish, named, namedExpressions, operator, stringArgument, wrongType } from './operands';
import { type Document, isDocument, isTruthy, type Value } from '../bson/values';

const comparison = (holds: (order: number) => boolean): OperatorParser =>
  operator(2, 2, (a, b) => holds(compareMissing(a, b)));

/** In expressions a missing value is less than null, unlike in queries. */
function compareMissing(a: Value | undefined, b: Value | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareValues(a, b);
}

const cond: OperatorParser = (operand, parse, name) => {
  const parts = Array.isArray(operand)
    ? operand.map(parse)
    : ((args) => ['if', 'then', 'else'].map((part) => args.get(part)!))(
        namedExpressions(name, operand, ['if', 'then', 'else'], [], parse),
      );
  if (parts.length !== 3) throw new CommandError(16020, 'Expression $cond takes exactly 3 arguments.');
  const [test, yes, no] = parts as [Expression, Expression, Expression];
  return (root, variables) => (isTruthy(test(root, variables)) ? yes : no)(root, variables);
};

const switchOperator: OperatorParser = (operand, parse, name) => {
  if (!isDocument(operand)) throw new CommandError(40060, '$switch requires an object as an argument');
  const branches = operand.get('branches');
  if (!Array.isArray(branches) || branches.length === 0)
    throw new CommandError(40068, '$switch requires at least one branch.');
  const cases = branches.map((branch) => namedExpressions(name, branch, ['case', 'then'], [], parse));
  const otherwise = operand.has('default') ? parse(operand.get('default')!) : undefined;
  return (root, variables) => {
    for (const branch of cases)
      if (isTruthy(branch.get('case')!(root, variables))) return branch.get('then')!(root, variables);
    if (!otherwise)
      throw new CommandError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    return otherwise(root, variables);
  };
};

const letOperator: OperatorParser = (operand, parse) => {
  const vars = isDocument(operand) ? operand.get('vars') : undefined;
  const inner = isDocument(operand) ? operand.get('in') : undefined;
  if (!isDocument(vars) || inner === undefined) throw new CommandError('FailedToParse', '$let needs vars and in');
  const bindings = [...vars].map(([name, value]) => [name, parse(value)] as const);
  const body = parse(inner);
  return (root, variables) =>
    body(root, new Map([...variables, ...bindings.map(([name, value]) => [name, value(root, variables)] as const)]));
};

const mergeObjects = operator(0, Infinity, (...values) => {
  const items = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  return mergeDocuments(items);
});

/** Later fields win; null and missing count as empty. */
export function mergeDocuments(items: readonly (Value | undefined)[]): Document {
  const merged: Document = new Map();
  for (const item of items) {
    if (isNullish(item)) continue;
    if (!isDocument(item)) throw new CommandError(40400, '$mergeObjects requires object inputs');
    for (const [name, value] of item) merged.set(name, value);
  }
  return merged;
}

const getField: OperatorParser = (operand, parse, name) =>
  isDocument(operand) && operand.has('field')
    ? named(['field'], ['input'], (argument) =>
        fieldOf(argument('input'), stringArgument('$getField', argument('field'))),
      )(operand.has('input') ? operand : new Map([...operand, ['input', '$$CURRENT']]), parse, name)
    : (root) => root.get(stringArgument('$getField', typeof operand === 'string' ? operand : undefined));

function fieldOf(input: Value | undefined, field: string): Value | undefined {
  if (isNullish(input)) return null;
  return isDocument(input) ? input.get(field) : undefined;
}

export const logicOperators: Record<string, OperatorParser> = {
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $cmp: operator(2, 2, (a, b) => Math.sign(compareMissing(a, b))),
  $and: shortCircuit(false),
  $or: shortCircuit(true),
  $not: operator(1, 1, (value) => !isTruthy(value)),
  $cond: cond,
  $ifNull: operator(2, Infinity, (...values) => {
    const found = values.find((value) => !isNullish(value));
    return found === undefined ? values.at(-1) : found;
  }),
  $switch: switchOperator,
  $let: letOperator,
  $literal: (operand) => () => operand,
  $mergeObjects: mergeObjects,
  $getField: getField,
  $objectToArray: operator(1, 1, (value) => {
    if (isNullish(value)) return null;
    if (!isDocument(value)) throw wrongType('$objectToArray', 'an object', value);
    return [...value].map(
      ([k, v]): Document =>
        new Map<string, Value>([
          ['k', k],
          ['v', v],
        ]),
    );
  }),
  $arrayToObject: operator(1, 1, (value) => {
    if (isNullish(value)) return null;
    if (!Array.isArray(value)) throw wrongType('$arrayToObject', 'an array', value);
    return new Map(value.map(pairOf));
  }),
};

/** Stops at the first operand that decides: `$or` at a true one, `$and` at a false one. */
function shortCircuit(decisive: boolean): OperatorParser {
  return (operand, parse) => {
    const parts = (Array.isArray(operand) ? operand : [operand]).map(parse);
    return (root, variables) => parts.some((part) => isTruthy(part(root, variables)) === decisive) === decisive;
  };
}

function pairOf(item: Value): [string, Value] {
  const [k, v] = Array.isArray(item) ? item : isDocument(item) ? [item.get('k'), item.get('v')] : [];
  return [stringArgument('$arrayToObject', k), v ?? null];
}
