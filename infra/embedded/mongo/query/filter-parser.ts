import { BSONRegExp } from 'bson';
import { compareValues, equalValues, isNaNValue, Rank, rankOf } from '../bson/compare';
import { encodeKey } from '../bson/key-encoding';
import { toDouble, wholeNumber } from '../bson/numbers';
import { type LeafArrays, splitPath } from '../bson/paths';
import { shown } from '../bson/shown';
import {
  BsonType,
  bsonTypeOf,
  type Document,
  type Fields,
  isDocument,
  isNumeric,
  isTruthy,
  type Value,
} from '../bson/values';
import { CommandError, notSupported } from '../errors';
import { parseExpression, type Variables } from '../expressions/expressions';
import { type Filter, type Leaf, type LeafOperator, matches, matchesValue } from './matcher';
import { regexOf } from './regex';

const bad = (message: string): CommandError => new CommandError('BadValue', message);

/**
 * Parses a query document.
 * @throws CommandError BadValue (2) for malformed operators, NotImplemented (238) for operators outside the subset.
 */
export function parseFilter(query: Document, variables: Variables = new Map()): Filter {
  const filters: Filter[] = [];
  for (const [name, value] of query) {
    if (name.startsWith('$')) filters.push(...topLevel(name, value, variables));
    else filters.push(...fieldConditions(name, value, variables));
  }
  return conjunction(filters);
}

function conjunction(filters: Filter[]): Filter {
  if (filters.length === 1) return filters[0]!;
  return { kind: 'and', filters };
}

function topLevel(name: string, value: Value, variables: Variables): Filter[] {
  switch (name) {
    case '$and':
    case '$or':
    case '$nor': {
      if (!Array.isArray(value) || value.length === 0) throw bad(`${name} must be a nonempty array`);
      const filters = value.map((item) => {
        if (!isDocument(item)) throw bad(`${name} entries need to be full objects`);
        return parseFilter(item, variables);
      });
      return [{ kind: name.slice(1) as 'and' | 'or' | 'nor', filters }];
    }
    case '$expr':
      return [{ kind: 'expr', expression: parseExpression(value), variables }];
    case '$comment':
      return [];
    case '$alwaysTrue':
    case '$alwaysFalse':
      return [{ kind: 'constant', value: name === '$alwaysTrue' }];
    case '$where':
    case '$text':
    case '$jsonSchema':
    case '$sampleRate':
      throw notSupported(`the query operator ${name}`);
    default:
      throw bad(`unknown top level operator: ${name}`);
  }
}

/** The operators that a value in field position stands for, or undefined; `{ $ref, $id }` is a reference to compare with. */
export function asOperators(value: Value): Document | undefined {
  if (!isDocument(value)) return undefined;
  const first = value.keys().next();
  return !first.done && first.value.startsWith('$') && !/^\$(ref|id|db)$/.test(first.value) ? value : undefined;
}

function fieldConditions(path: string, value: Value, variables: Variables): Filter[] {
  if (value instanceof BSONRegExp) return [regexLeaf(path, value)];
  const operators = asOperators(value);
  if (!operators) return [comparison(path, 'eq', value)];
  const filters: Filter[] = [];
  for (const [operator, operand] of operators) {
    if (operator === '$options') {
      if (!operators.has('$regex')) throw bad('$options needs a $regex');
      continue;
    }
    filters.push(condition(path, operator, operand, operators, variables));
  }
  return filters;
}

function condition(path: string, operator: string, operand: Value, all: Document, variables: Variables): Filter {
  switch (operator) {
    case '$eq':
      return comparison(path, 'eq', operand);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (operand instanceof BSONRegExp) throw bad(`Can't have RegEx as arg to predicate over field '${path}'.`);
      return comparison(path, operator.slice(1) as LeafOperator, operand);
    case '$ne':
      if (operand instanceof BSONRegExp) throw bad("Can't have regex as arg to $ne.");
      return not(comparison(path, 'eq', operand));
    case '$in':
      return membership(path, operator, operand);
    case '$nin':
      return not(membership(path, operator, operand));
    case '$exists': {
      const exists = leaf(path, 'exists', operand, 'each', (value) => value !== undefined);
      return isTruthy(operand) ? exists : not(exists);
    }
    case '$not':
      return not(negated(path, operand, variables));
    case '$type':
      return typeLeaf(path, operand);
    case '$regex':
      return regexLeaf(path, patternOf(operand, all.get('$options')));
    case '$mod':
      return modLeaf(path, operand);
    case '$size': {
      const size = wholeNumber(operand);
      if (size === undefined || size < 0) throw bad('$size must be a whole number that is not negative');
      return leaf(path, 'size', operand, 'whole', (value) => Array.isArray(value) && value.length === size);
    }
    case '$all':
      return allOf(path, operand, variables);
    case '$elemMatch':
      return elemMatch(path, operand, variables);
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return bitsLeaf(path, operator, operand);
    case '$comment':
      return { kind: 'constant', value: true };
    case '$geoWithin':
    case '$geoIntersects':
    case '$near':
    case '$nearSphere':
    case '$within':
    case '$geoNear':
      throw notSupported(`the query operator ${operator}`);
    default:
      throw bad(`unknown operator: ${operator}`);
  }
}

const not = (filter: Filter): Filter => ({ kind: 'not', filter });

function leaf(path: string, operator: LeafOperator, operand: Value, arrays: LeafArrays, test: Leaf['test']): Leaf {
  return { kind: 'leaf', operator, path, parts: splitPath(path), arrays, operand, test };
}

function comparison(path: string, operator: LeafOperator, operand: Value): Leaf {
  return leaf(path, operator, operand, 'each', comparisonTest(operator, operand));
}

/** Comparisons hold within one type, except with MinKey and MaxKey; null stands for missing too, and NaN only equals itself. */
function comparisonTest(operator: LeafOperator, operand: Value): Leaf['test'] {
  const rank = rankOf(operand);
  const orEqual = operator !== 'gt' && operator !== 'lt';
  if (rank === Rank.null) {
    return (value) => orEqual && (value === undefined || value === null);
  }
  if (isNaNValue(operand)) return (value) => orEqual && isNaNValue(value);
  if (operator === 'eq') {
    if (typeof operand === 'string') return (value) => value === operand;
    return (value) => value !== undefined && equalValues(value, operand);
  }
  const holds = orderTest(operator);
  const anyType = rank === Rank.minKey || rank === Rank.maxKey;
  return (value) =>
    value !== undefined &&
    (anyType || rankOf(value) === rank) &&
    !isNaNValue(value) &&
    holds(compareValues(value, operand));
}

function orderTest(operator: LeafOperator): (order: number) => boolean {
  switch (operator) {
    case 'gt':
      return (order) => order > 0;
    case 'gte':
      return (order) => order >= 0;
    case 'lt':
      return (order) => order < 0;
    default:
      return (order) => order <= 0;
  }
}

function membership(path: string, operator: string, operand: Value): Leaf {
  if (!Array.isArray(operand)) throw bad(`${operator} needs an array`);
  if (operand.some(asOperators)) throw bad(`cannot nest $ under ${operator}`);
  const patterns = operand.filter((item): item is BSONRegExp => item instanceof BSONRegExp).map(regexTest);
  const keys = new Set(operand.map((item) => encodeKey(item).toString('latin1')));
  const hasNull = operand.includes(null);
  return leaf(path, 'in', operand, 'each', (value) => {
    if (value === undefined) return hasNull;
    return keys.has(encodeKey(value).toString('latin1')) || patterns.some((test) => test(value));
  });
}

function negated(path: string, operand: Value, variables: Variables): Filter {
  if (operand instanceof BSONRegExp) return regexLeaf(path, operand);
  if (!asOperators(operand)) throw bad('$not needs a regex or a document of operators');
  return conjunction(fieldConditions(path, operand, variables));
}

function typeLeaf(path: string, operand: Value): Leaf {
  const wanted = new Set<number>();
  for (const item of Array.isArray(operand) ? operand : [operand]) {
    if (item === 'number')
      [BsonType.double, BsonType.int, BsonType.long, BsonType.decimal].forEach((t) => wanted.add(t));
    else wanted.add(typeCode(item));
  }
  if (wanted.size === 0) throw bad(`${path} must match at least one type`);
  return leaf(path, 'type', operand, 'each', (value) => value !== undefined && wanted.has(bsonTypeOf(value)));
}

function typeCode(item: Value): number {
  const code = typeof item === 'string' ? (BsonType as Record<string, number>)[item] : wholeNumber(item);
  const signed = code === -1 ? BsonType.minKey : code;
  if (signed === undefined || !(Object.values(BsonType) as number[]).includes(signed))
    throw bad(`Unknown type name alias or code in $type: ${shown(item)}`);
  return signed;
}

function patternOf(operand: Value, options: Value | undefined): BSONRegExp {
  if (options !== undefined && typeof options !== 'string') throw bad('$options has to be a string');
  if (operand instanceof BSONRegExp) {
    if (options !== undefined && operand.options !== '')
      throw new CommandError(51075, 'options set in both $regex and $options');
    return options === undefined ? operand : new BSONRegExp(operand.pattern, options);
  }
  if (typeof operand !== 'string') throw bad('$regex has to be a string');
  return new BSONRegExp(operand, options ?? '');
}

function regexTest(pattern: BSONRegExp): (value: Value | undefined) => boolean {
  const regex = regexOf(pattern.pattern, pattern.options);
  return (value) =>
    typeof value === 'string'
      ? regex.test(value)
      : value instanceof BSONRegExp && value.pattern === pattern.pattern && value.options === pattern.options;
}

function regexLeaf(path: string, pattern: BSONRegExp): Leaf {
  return leaf(path, 'regex', pattern, 'each', regexTest(pattern));
}

function modLeaf(path: string, operand: Value): Leaf {
  if (!Array.isArray(operand) || operand.length !== 2) throw bad('malformed mod, needs to be an array of two numbers');
  const [divisor, remainder] = operand;
  if (!isNumeric(divisor) || !isNumeric(remainder)) throw bad('malformed mod, divisor and remainder must be numbers');
  const by = Math.trunc(toDouble(divisor));
  if (by === 0 || !Number.isFinite(by)) throw bad('divisor cannot be 0');
  const rest = Math.trunc(toDouble(remainder));
  return leaf(path, 'mod', operand, 'each', (value) => {
    if (!isNumeric(value)) return false;
    const number = toDouble(value);
    if (typeof value === 'bigint') return value % BigInt(by) === BigInt(rest);
    return Number.isFinite(number) && Math.trunc(number) % by === rest;
  });
}

function allOf(path: string, operand: Value, variables: Variables): Filter {
  if (!Array.isArray(operand)) throw bad('$all needs an array');
  if (operand.length === 0) return { kind: 'constant', value: false };
  return conjunction(
    operand.map((item) => {
      if (item instanceof BSONRegExp) return regexLeaf(path, item);
      const operators = asOperators(item);
      if (!operators) return comparison(path, 'eq', item);
      const [operator, inner] = operators.entries().next().value!;
      if (operator !== '$elemMatch') throw bad('no $ expressions in $all');
      return elemMatch(path, inner, variables);
    }),
  );
}

const logical = new Set(['$and', '$or', '$nor', '$expr', '$where']);

function elemMatch(path: string, operand: Value, variables: Variables): Leaf {
  if (!isDocument(operand)) throw bad('$elemMatch needs an Object');
  const first = operand.keys().next().value;
  if (first?.startsWith('$') && !logical.has(first)) {
    const filter = conjunction(fieldConditions('', operand, variables));
    return leaf(
      path,
      'elemMatch',
      operand,
      'whole',
      (value) => Array.isArray(value) && value.some((item) => matchesValue(filter, item)),
    );
  }
  const filter = parseFilter(operand, variables);
  const test = (item: Value): boolean => {
    const fields = fieldsOf(item);
    return fields !== undefined && matches(filter, fields);
  };
  return leaf(path, 'elemMatch', operand, 'whole', (value) => Array.isArray(value) && value.some(test));
}

/** A document, or an array seen as a document whose names are its indexes. */
function fieldsOf(item: Value): Fields | undefined {
  if (isDocument(item)) return item;
  return Array.isArray(item) ? { get: (name) => item[Number(name)] } : undefined;
}

function bitsLeaf(path: string, operator: string, operand: Value): Leaf {
  const mask = Array.isArray(operand)
    ? operand.reduce<bigint>((bits, at) => bits | (1n << BigInt(wholeNumber(at) ?? 0)), 0n)
    : BigInt(wholeNumber(operand) ?? -1);
  if (mask < 0n) throw bad(`${operator} takes a number that is not negative or an array of bit positions`);
  const wantSet = operator.endsWith('Set');
  const all = operator.includes('All');
  return leaf(path, 'bits', operand, 'each', (value) => {
    const number = wholeNumber(value);
    if (number === undefined) return false;
    const bits = BigInt.asUintN(64, typeof value === 'bigint' ? value : BigInt(number));
    const hit = wantSet ? bits & mask : ~bits & mask;
    return all ? hit === mask : hit !== 0n;
  });
}

/** The conditions on a value that stand where a path would: `$pull: { scores: { $gte: 8 } }`. */
export function parseValueConditions(operators: Document): Filter {
  return conjunction(fieldConditions('', operators, new Map()));
}
