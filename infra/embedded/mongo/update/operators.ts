import { Timestamp } from 'bson';
import { compareValues, equalValues } from '../bson/compare';
import { CommandError } from '../errors';
import { asOperators, parseFilter, parseValueConditions } from '../query/filter-parser';
import { type Filter, matches, matchesValue } from '../query/matcher';
import { arithmetic, wholeNumber } from '../bson/numbers';
import { parseSort } from '../query/planner';
import { sortKey } from '../query/query';
import { shown } from '../bson/shown';
import { getAt, type Root, setAt, unsetAt } from './update-paths';
import { type Path, splitPath } from '../bson/paths';
import { isDocument, isNumeric, typeAlias, type Value } from '../bson/values';

/** What becomes of the value at a path. */
export type Outcome = { set: Value } | 'unset' | 'keep';

/** Computes a field's new value from its old one; `$rename` also works on the document around it. */
export type Change = (existing: Value | undefined, place: { root: Root; path: Path }) => Outcome;

type OperatorParser = (path: string, operand: Value) => { path: string; apply: Change }[];

const bad = (message: string): CommandError => new CommandError('BadValue', message);

const one =
  (parse: (operand: Value, path: string) => Change): OperatorParser =>
  (path, operand) => [{ path, apply: parse(operand, path) }];

const set = one((operand) => () => ({ set: copyOf(operand) }));

/** The same operand may be put into several documents or elements, which must not share it. */
function copyOf(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf);
  return isDocument(value) ? new Map([...value].map(([name, field]) => [name, copyOf(field)])) : value;
}

function numeric(operator: '$inc' | '$mul'): OperatorParser {
  return one((operand, path) => {
    if (!isNumeric(operand))
      throw new CommandError(
        'TypeMismatch',
        `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${shown(operand)}}`,
      );
    return (existing) => {
      if (existing === undefined) return { set: operator === '$inc' ? operand : arithmetic('multiply', operand, 0) };
      if (!isNumeric(existing))
        throw new CommandError(
          'TypeMismatch',
          `Cannot apply ${operator} to a value of non-numeric type. The field '${path}' is of type ${typeAlias(existing)}`,
        );
      return { set: arithmetic(operator === '$inc' ? 'add' : 'multiply', existing, operand) };
    };
  });
}

function extreme(sign: 1 | -1): OperatorParser {
  return one(
    (operand) => (existing) =>
      existing === undefined || compareValues(operand, existing) * sign > 0 ? { set: copyOf(operand) } : 'keep',
  );
}

const currentDate = one((operand, path) => {
  const type = isDocument(operand) ? operand.get('$type') : undefined;
  if (typeof operand === 'boolean' || type === 'date') return () => ({ set: new Date() });
  if (type === 'timestamp') return () => ({ set: new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 }) });
  throw bad(`$currentDate of '${path}' takes a boolean, { $type: 'date' } or { $type: 'timestamp' }`);
});

const rename: OperatorParser = (path, operand) => {
  if (typeof operand !== 'string') throw bad(`The 'to' field for $rename must be a string: ${path}`);
  if (operand === path) throw bad(`The source and target field for $rename must differ: ${path}`);
  if (`${path}.${operand}`.split('.').some((part) => part.startsWith('$')))
    throw bad(`The source and target field for $rename may not be dynamic: ${path}`);
  const from = splitPath(path);
  const move: Change = (_, { root, path: to }) => {
    const value = getAt(root, from);
    if (value === undefined) return 'keep';
    if (throughArray(root, from) || throughArray(root, to))
      throw bad('The source and target of $rename cannot be in an array');
    unsetAt(root, from);
    setAt(root, to, value);
    return 'keep';
  };
  return [
    { path, apply: () => 'keep' },
    { path: operand, apply: move },
  ];
};

const throughArray = (root: Root, path: Path): boolean =>
  path.some((_, at) => at > 0 && Array.isArray(getAt(root, path.slice(0, at))));

function existingArray(operator: string, path: string, existing: Value | undefined): Value[] {
  if (existing === undefined) return [];
  if (!Array.isArray(existing))
    throw bad(`The field '${path}' must be an array but is of type ${typeAlias(existing)} (${operator})`);
  return existing;
}

const PUSH_MODIFIERS = new Set(['$each', '$slice', '$sort', '$position']);

const push = one((operand, path) => {
  const modifiers = isDocument(operand) && operand.has('$each') ? operand : undefined;
  if (!modifiers) return (existing) => ({ set: [...existingArray('$push', path, existing), copyOf(operand)] });
  const each = modifiers.get('$each');
  if (!Array.isArray(each)) throw bad('The argument to $each in $push must be an array');
  for (const name of modifiers.keys())
    if (!PUSH_MODIFIERS.has(name)) throw bad(`Unrecognized clause in $push: ${name}`);
  const slice = wholeModifier(modifiers, '$slice');
  const position = wholeModifier(modifiers, '$position');
  const order = modifiers.has('$sort') ? arrayOrder(modifiers.get('$sort')!) : undefined;
  return (existing) => {
    const items = [...existingArray('$push', path, existing)];
    const at = position === undefined ? items.length : position >= 0 ? position : Math.max(0, items.length + position);
    items.splice(at, 0, ...each.map(copyOf));
    if (order) items.sort(order);
    if (slice === undefined) return { set: items };
    return { set: slice >= 0 ? items.slice(0, slice) : items.slice(slice) };
  };
});

function wholeModifier(modifiers: ReadonlyMap<string, Value>, name: string): number | undefined {
  const value = modifiers.get(name);
  const number = wholeNumber(value);
  if (value !== undefined && number === undefined) throw bad(`The value for ${name} must be an integer value`);
  return number;
}

/** `$sort` of `$push`: 1 or -1 for whole elements, or a sort specification for documents. */
export function arrayOrder(specification: Value): (a: Value, b: Value) => number {
  if (isDocument(specification)) {
    const fields = parseSort(specification);
    const key = (item: Value): Buffer => sortKey(isDocument(item) ? item : new Map(), fields);
    return (a, b) => Buffer.compare(key(a), key(b));
  }
  const direction = wholeNumber(specification);
  if (direction !== 1 && direction !== -1) throw bad('The $sort must be 1, -1 or a document');
  return (a, b) => compareValues(a, b) * direction;
}

const addToSet = one((operand, path) => {
  const each = isDocument(operand) && operand.has('$each') ? operand.get('$each') : undefined;
  if (each !== undefined && (!Array.isArray(each) || (operand as ReadonlyMap<string, Value>).size !== 1))
    throw bad('The argument to $each in $addToSet must be an array, and there are no other modifiers');
  const candidates = each ?? [operand];
  return (existing) => {
    const items = [...existingArray('$addToSet', path, existing)];
    for (const candidate of candidates)
      if (!items.some((item) => equalValues(item, candidate))) items.push(copyOf(candidate));
    return existing !== undefined && items.length === (existing as Value[]).length ? 'keep' : { set: items };
  };
});

const pop = one((operand, path) => {
  const end = wholeNumber(operand);
  if (end !== 1 && end !== -1)
    throw new CommandError('FailedToParse', `$pop expects 1 or -1, found: ${shown(operand)}`);
  return (existing) => {
    if (existing === undefined) return 'keep';
    if (!Array.isArray(existing))
      throw new CommandError(
        'TypeMismatch',
        `Path '${path}' contains an element of non-array type '${typeAlias(existing)}'`,
      );
    return { set: end === 1 ? existing.slice(0, -1) : existing.slice(1) };
  };
});

function without(path: string, removes: (item: Value) => boolean): Change {
  return (existing) => {
    if (existing === undefined) return 'keep';
    if (!Array.isArray(existing)) throw bad(`Cannot apply $pull to a non-array value: '${path}'`);
    const kept = existing.filter((item) => !removes(item));
    return kept.length === existing.length ? 'keep' : { set: kept };
  };
}

const pull = one((operand, path) => {
  const operators = asOperators(operand);
  if (operators) {
    const filter = parseValueConditions(operators);
    return without(path, (item) => matchesValue(filter, item));
  }
  if (!isDocument(operand)) {
    const filter: Filter = parseFilter(new Map([['v', operand]]));
    return without(path, (item) =>
      Array.isArray(item) || Array.isArray(operand)
        ? equalValues(item, operand)
        : matches(filter, new Map([['v', item]])),
    );
  }
  const filter = parseFilter(operand);
  return without(path, (item) => isDocument(item) && matches(filter, item));
});

const pullAll = one((operand, path) => {
  if (!Array.isArray(operand)) throw bad('$pullAll requires an array argument');
  return without(path, (item) => operand.some((removed) => equalValues(item, removed)));
});

const bitOperations: Record<string, (a: bigint, b: bigint) => bigint> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

const isInteger = (value: Value | undefined): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));

const bit = one((operand, path) => {
  const operations = isDocument(operand) ? [...operand] : [];
  if (operations.length === 0) throw bad(`$bit of '${path}' takes { and | or | xor: integer }`);
  return (existing = 0) => {
    if (!isInteger(existing)) throw bad(`Cannot apply $bit to a value of non-integral type '${typeAlias(existing)}'`);
    let result: number | bigint = existing;
    for (const [name, mask] of operations) {
      const apply = bitOperations[name];
      if (!apply || !isInteger(mask)) throw bad(`$bit of '${path}' takes { and | or | xor: integer }`);
      const bits: bigint = apply(BigInt(result), BigInt(mask));
      result = typeof result === 'bigint' || typeof mask === 'bigint' ? bits : Number(bits);
    }
    return { set: result };
  };
});

/** The update operators of the subset. */
export const updateOperators: ReadonlyMap<string, OperatorParser> = new Map([
  ['$set', set],
  ['$setOnInsert', set],
  ['$unset', one(() => () => 'unset')],
  ['$inc', numeric('$inc')],
  ['$mul', numeric('$mul')],
  ['$min', extreme(-1)],
  ['$max', extreme(1)],
  ['$currentDate', currentDate],
  ['$rename', rename],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pop', pop],
  ['$pull', pull],
  ['$pullAll', pullAll],
  ['$bit', bit],
]);
