import { BSONRegExp } from 'bson';
import { type LeafArrays, type Path, someValue, splitPath } from '../bson/paths';
import { type Document, type Fields, isDocument, isTruthy, type Value } from '../bson/values';
import { CommandError } from '../errors';
import { type Expression, type Variables } from '../expressions/expressions';

export type LeafOperator =
  'eq' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'exists' | 'type' | 'regex' | 'mod' | 'size' | 'elemMatch' | 'bits';

/** A condition on the values that one path reaches. */
export interface Leaf {
  kind: 'leaf';
  operator: LeafOperator;
  path: string;
  parts: Path;
  arrays: LeafArrays;
  operand: Value;
  test: (value: Value | undefined) => boolean;
}

/** A parsed query document. The planner reads its top-level conjunction; the matcher evaluates all of it. */
export type Filter =
  | Leaf
  | { kind: 'and' | 'or' | 'nor'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  | { kind: 'expr'; expression: Expression; variables: Variables }
  | { kind: 'constant'; value: boolean };

/** Whether a document satisfies the filter. */
export function matches(filter: Filter, doc: Fields): boolean {
  switch (filter.kind) {
    case 'leaf':
      return someValue(doc, filter.parts, filter.arrays, filter.test);
    case 'and':
      return filter.filters.every((part) => matches(part, doc));
    case 'or':
      return filter.filters.some((part) => matches(part, doc));
    case 'nor':
      return !filter.filters.some((part) => matches(part, doc));
    case 'not':
      return !matches(filter.filter, doc);
    case 'expr':
      return isTruthy(filter.expression(doc, filter.variables));
    case 'constant':
      return filter.value;
  }
}

/** Whether one value satisfies conditions that were parsed without a path, as `$elemMatch` and `$pull` apply them. */
export function matchesValue(filter: Filter, value: Value): boolean {
  switch (filter.kind) {
    case 'leaf':
      return filter.test(value);
    case 'and':
      return filter.filters.every((part) => matchesValue(part, value));
    case 'or':
      return filter.filters.some((part) => matchesValue(part, value));
    case 'nor':
      return !filter.filters.some((part) => matchesValue(part, value));
    case 'not':
      return !matchesValue(filter.filter, value);
    case 'expr':
      return isDocument(value) && matches(filter, value);
    case 'constant':
      return filter.value;
  }
}

/** The filter as a function, for loops. */
export function compileFilter(filter: Filter): (doc: Fields) => boolean {
  return (doc) => matches(filter, doc);
}

/** The leaves that must all hold: those of the top-level conjunction. */
export function* requiredLeaves(filter: Filter): Generator<Leaf> {
  if (filter.kind === 'leaf') yield filter;
  else if (filter.kind === 'and') for (const part of filter.filters) yield* requiredLeaves(part);
}

/** The array index at which `filter` matched below `arrayPath`, which is what the positional `$` stands for. */
export function matchedIndex(filter: Filter, doc: Document, arrayPath: string): number | undefined {
  for (const candidate of positional(filter)) {
    if (candidate.path !== arrayPath && !candidate.path.startsWith(`${arrayPath}.`)) continue;
    const array = asArray(doc, splitPath(arrayPath));
    if (!array) continue;
    const rest = candidate.parts.slice(splitPath(arrayPath).length);
    const found = array.findIndex((item) => elementMatches(candidate, rest, item));
    if (found >= 0) return found;
  }
  return undefined;
}

function* positional(filter: Filter): Generator<Leaf> {
  if (filter.kind === 'leaf') yield filter;
  else if (filter.kind === 'and' || filter.kind === 'or') for (const part of filter.filters) yield* positional(part);
}

function elementMatches(candidate: Leaf, rest: Path, item: Value): boolean {
  if (rest.length > 0) return isDocument(item) && someValue(item, rest, candidate.arrays, candidate.test);
  return candidate.test(candidate.operator === 'elemMatch' ? [item] : item);
}

function asArray(doc: Document, path: Path): Value[] | undefined {
  let value: Value | undefined = doc;
  for (const part of path)
    value = isDocument(value) ? value.get(part) : Array.isArray(value) ? value[Number(part)] : undefined;
  return Array.isArray(value) ? value : undefined;
}

/** Values that equality conditions fix, for seeding the document of an upsert: those of the conjunction, also inside `$and`. */
export function equalityValues(filter: Filter): Map<string, Value> {
  const fixed = new Map<string, Value>();
  for (const { operator, path, operand } of requiredLeaves(filter)) {
    const value = operator === 'in' && Array.isArray(operand) && operand.length === 1 ? operand[0] : operand;
    if (value === undefined || value instanceof BSONRegExp || (operator !== 'eq' && operator !== 'in')) continue;
    if (operator === 'in' && value === operand) continue;
    if (fixed.has(path))
      throw new CommandError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    fixed.set(path, value);
  }
  return fixed;
}
