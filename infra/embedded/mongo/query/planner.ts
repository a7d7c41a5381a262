import { BSONRegExp } from 'bson';
import { compareValues, isNaNValue, Rank, rankOf } from '../bson/compare';
import { type Collection } from '../storage/collection';
import { CommandError } from '../errors';
import { type Index } from '../storage/index-definition';
import { encodeKey, fitBound, invert } from '../bson/key-encoding';
import { idKey, prefixRange, Space } from '../storage/keys';
import { type Filter, type Leaf, requiredLeaves } from './matcher';
import { splitPath, type Path } from '../bson/paths';
import { type KeyRange } from '../storage/store';
import { isTruthy, type Value } from '../bson/values';

export interface SortField {
  path: Path;
  name: string;
  direction: 1 | -1;
}

/** How the documents of a query are found. */
export interface Plan {
  /** Undefined for a scan of the collection in record order. */
  index: Index | undefined;
  /** Ranges of storage keys in the order in which they are walked. */
  ranges: KeyRange[];
  /** The entries come in the order asked for. */
  sorted: boolean;
  /** Every document found satisfies the filter. */
  exact: boolean;
  /** A document may be found more than once. */
  repeats: boolean;
  /** Each range holds one key of a unique index, found without a scan. */
  lookups: boolean;
}

/** What the caller of a query forces: an index, or a scan in record order. */
export type Hint = { index: Index } | { natural: 1 | -1 };

const MAX_RANGES = 5_000;
const AFTER = Buffer.from([0xff]);

/** Encoded values of one field, from `low` (inclusive) to `high` (exclusive). */
interface Interval {
  low: Buffer;
  high: Buffer;
}

interface FieldBounds {
  intervals: Interval[];
  /** Each interval holds one value only. */
  points: boolean;
  consumed: Leaf[];
  exact: boolean;
}

/** Chooses the index with the most bounded fields, or one that gives the order asked for, or a scan. */
export function plan(collection: Collection, filter: Filter, sort: readonly SortField[], hint?: Hint): Plan {
  const byId = sort.length === 0 && !hint ? planOfId(collection.idIndex, filter) : undefined;
  if (byId) return byId;
  const leaves = [...requiredLeaves(filter)];
  const pure = isConjunction(filter);
  if (hint && 'natural' in hint) return scan(collection, hint.natural === -1, sort, filter);
  let best: Plan | undefined;
  let bestScore = 0;
  for (const index of hint ? [hint.index] : collection.indexes) {
    if (!isUsable(index, leaves, hint !== undefined)) continue;
    const candidate = planIndex(index, leaves, sort, pure);
    const score = candidate.score + (sort.length > 0 && candidate.plan.sorted ? 0.6 : 0);
    if (score > bestScore || hint) [best, bestScore] = [candidate.plan, score];
  }
  return best ?? scan(collection, sort[0]?.name === '$natural' && sort[0].direction === -1, sort, filter);
}

/** The one `_id` that whatever a filter finds must have, or undefined; a missing `_id`, which null stands for too, is none. */
export function idOf(filter: Filter): Value | undefined {
  if (filter.kind === 'and')
    for (const part of filter.filters) {
      const id = idOf(part);
      if (id !== undefined) return id;
    }
  if (filter.kind !== 'leaf' || filter.operator !== 'eq' || filter.path !== '_id') return undefined;
  return filter.operand === null || !isPoint(filter.operand) ? undefined : filter.operand;
}

/** The plan for one `_id`, which most statements name: nothing can beat it, so there is nothing to compare. */
function planOfId(index: Index, filter: Filter): Plan | undefined {
  const id = idOf(filter);
  if (id === undefined || index.truncated) return undefined;
  const key = encodeKey(id);
  const { key: only, widened } = range(idKey(Space.index, index.id), key, after(key));
  if (widened) return undefined;
  const exact = filter.kind === 'leaf';
  return { index, ranges: [{ ...only, reverse: false }], sorted: true, exact, repeats: false, lookups: true };
}

function scan(collection: Collection, reverse: boolean, sort: readonly SortField[], filter: Filter): Plan {
  return {
    index: undefined,
    ranges: [{ ...prefixRange(idKey(Space.record, collection.id)), reverse }],
    sorted: sort.length === 0 || sort[0]!.name === '$natural',
    exact: filter.kind === 'and' && filter.filters.length === 0,
    repeats: false,
    lookups: false,
  };
}

function isConjunction(filter: Filter): boolean {
  return filter.kind === 'leaf' || (filter.kind === 'and' && filter.filters.every(isConjunction));
}

/** A partial index must hold everything the query can find, and so must a sparse one. */
function isUsable(index: Index, leaves: Leaf[], hinted: boolean): boolean {
  const { partialFilter, sparse, fields } = index.meta;
  if (partialFilter) {
    const implied =
      isConjunction(partialFilter) &&
      [...requiredLeaves(partialFilter)].every((needed) => leaves.some((given) => implies(given, needed)));
    if (!implied && hinted)
      throw new CommandError(
        'BadValue',
        `The hinted index ${index.meta.name} does not hold all that the query can find`,
      );
    return implied;
  }
  if (!sparse || hinted) return true;
  const names = new Set(fields.map(({ path }) => path.join('.')));
  return leaves.some((leaf) => names.has(leaf.path) && needsField(leaf));
}

/** Whether the condition fails for a document without the field. */
function needsField(leaf: Leaf): boolean {
  return !leaf.test(undefined);
}

/** Whether a document that satisfies `given` also satisfies `needed`. */
function implies(given: Leaf, needed: Leaf): boolean {
  if (given.path !== needed.path) return false;
  if (needed.operator === 'exists') return isTruthy(needed.operand) && needsField(given);
  if (given.operator === 'eq' && !Array.isArray(given.operand) && given.operand !== null)
    return needed.operator !== 'size' && needed.operator !== 'elemMatch' && needed.test(given.operand);
  if (given.operator === 'in' && !hasPatterns(given.operand))
    return (
      needed.arrays === 'each' &&
      (given.operand as Value[]).every((value) => !Array.isArray(value) && needed.test(value))
    );
  const sameRank = rankOf(given.operand) === rankOf(needed.operand);
  const order = sameRank ? compareValues(given.operand, needed.operand) : 0;
  const from = (operator: string): boolean => operator === 'gt' || operator === 'gte';
  const to = (operator: string): boolean => operator === 'lt' || operator === 'lte';
  const strict = given.operator === needed.operator || needed.operator.endsWith('te');
  if (sameRank && from(given.operator) && from(needed.operator)) return order > 0 || (order === 0 && strict);
  if (sameRank && to(given.operator) && to(needed.operator)) return order < 0 || (order === 0 && strict);
  return given.operator === needed.operator && compareValues(given.operand, needed.operand) === 0;
}

function planIndex(
  index: Index,
  leaves: Leaf[],
  sort: readonly SortField[],
  pure: boolean,
): { plan: Plan; score: number } {
  const prefix = idKey(Space.index, index.id);
  const { fields } = index.meta;
  let intervals: Interval[] = [{ low: Buffer.alloc(0), high: Buffer.alloc(0) }];
  const consumed = new Set<Leaf>();
  const fixed = new Set<string>();
  const boundedRoots = new Set<string>();
  let exact = pure && !index.truncated;
  let score = 0;
  let at = 0;
  let points = true;
  for (; at < fields.length; at++) {
    const { path, direction } = fields[at]!;
    // Below one array, two conditions may hold for different elements, but an entry is about one element.
    if (index.multikey && boundedRoots.has(path[0]!)) break;
    const bounds = boundsOf(path.join('.'), leaves, index.multikey);
    if (!bounds || intervals.length * bounds.intervals.length > MAX_RANGES) break;
    const parts = direction === 1 ? bounds.intervals : bounds.intervals.map(inverted).reverse();
    intervals = intervals.flatMap(({ low }) => parts.map((part) => joined(low, part)));
    bounds.consumed.forEach((leaf) => consumed.add(leaf));
    exact &&= bounds.exact;
    boundedRoots.add(path[0]!);
    score += bounds.points ? (bounds.intervals.length === 1 ? 1 : 0.9) : 0.5;
    if (bounds.points && bounds.intervals.length === 1) fixed.add(path.join('.'));
    points &&= bounds.points;
    if (!points) {
      at++;
      break;
    }
  }
  const order = sortOrder(index, sort, fixed);
  const ranges = intervals.map(({ low, high }) => range(prefix, low, high));
  const widened = ranges.some((one) => one.widened);
  exact &&= !widened && leaves.every((leaf) => consumed.has(leaf));
  const reverse = order === 'reverse';
  const walked = (at === 0 ? [{ key: prefixRange(prefix) }] : ranges).map(({ key }) => ({ ...key, reverse }));
  return {
    plan: {
      index,
      ranges: reverse ? walked.reverse() : walked,
      sorted: sort.length === 0 || (order !== undefined && !index.truncated && !index.multikey),
      exact,
      repeats: index.multikey,
      lookups: index.meta.unique && at === fields.length && points && !widened,
    },
    score,
  };
}

function range(prefix: Buffer, low: Buffer, high: Buffer): { key: KeyRange; widened: boolean } {
  const from = fitBound(low, false);
  const to = fitBound(high, true);
  return {
    key: { start: Buffer.concat([prefix, from.bound]), end: Buffer.concat([prefix, to.bound]) },
    widened: from.widened || to.widened,
  };
}

/** Appends a field's interval to a point over the fields before it. */
function joined(low: Buffer, next: Interval): Interval {
  return { low: Buffer.concat([low, next.low]), high: Buffer.concat([low, next.high]) };
}

/** The interval in a descending field. A bound of whole bytes `x` inverts to the first key behind all keys that begin with it. */
function inverted({ low, high }: Interval): Interval {
  return { low: invertedBound(high), high: invertedBound(low) };
}

function invertedBound(bound: Buffer): Buffer {
  // `value ff` is the end of all keys that begin with `value`; inverted, those keys begin with the inverted value.
  if (bound.at(-1) === 0xff) return invert(Buffer.from(bound.subarray(0, -1)));
  return Buffer.concat([invert(Buffer.from(bound)), AFTER]);
}

/** Whether walking the index forwards or backwards gives the order; fields fixed to one value do not matter. */
function sortOrder(
  index: Index,
  sort: readonly SortField[],
  fixed: ReadonlySet<string>,
): 'forward' | 'reverse' | undefined {
  const wanted = sort.filter(({ name }) => !fixed.has(name));
  if (wanted.length === 0) return 'forward';
  const offered = index.meta.fields.filter(({ path }) => !fixed.has(path.join('.')));
  if (offered.length < wanted.length) return undefined;
  const backwards = offered[0]!.direction !== wanted[0]!.direction;
  const fits = wanted.every(
    ({ name, direction }, at) =>
      offered[at]!.path.join('.') === name && (offered[at]!.direction !== direction) === backwards,
  );
  return fits ? (backwards ? 'reverse' : 'forward') : undefined;
}

function boundsOf(path: string, leaves: Leaf[], multikey: boolean): FieldBounds | undefined {
  const here = leaves.filter((leaf) => leaf.path === path);
  const points = here.find((leaf) => leaf.operator === 'eq' && isPoint(leaf.operand));
  if (points) return pointBounds(points, [points.operand]);
  const list = here.find(
    (leaf) => leaf.operator === 'in' && !hasPatterns(leaf.operand) && (leaf.operand as Value[]).every(isPoint),
  );
  if (list) return pointBounds(list, list.operand as Value[]);
  const ranges = here.map((leaf) => ({ leaf, interval: intervalOf(leaf) })).filter(({ interval }) => interval);
  if (ranges.length === 0) return undefined;
  // In an array one element may satisfy one bound and another element the other one.
  const used = multikey ? ranges.slice(0, 1) : ranges;
  const low = used.map(({ interval }) => interval!.low).reduce((a, b) => (Buffer.compare(a, b) >= 0 ? a : b));
  const high = used.map(({ interval }) => interval!.high).reduce((a, b) => (Buffer.compare(a, b) <= 0 ? a : b));
  return {
    intervals: [{ low, high: Buffer.compare(low, high) < 0 ? high : low }],
    points: false,
    consumed: used.map(({ leaf }) => leaf),
    exact: used.every(({ leaf }) => leaf.operator !== 'regex'),
  };
}

const isPoint = (value: Value): boolean => !Array.isArray(value);

function hasPatterns(operand: Value): boolean {
  return Array.isArray(operand) && operand.some((value) => value instanceof BSONRegExp);
}

function pointBounds(leaf: Leaf, values: Value[]): FieldBounds {
  const keys = new Map(values.map((value) => [encodeKey(value).toString('latin1'), encodeKey(value)]));
  return {
    intervals: [...keys.values()].sort((a, b) => Buffer.compare(a, b)).map((key) => ({ low: key, high: after(key) })),
    points: true,
    consumed: [leaf],
    // An entry for null may also stand for a missing field below an array, which does not equal null.
    exact: !values.includes(null),
  };
}

const after = (key: Buffer): Buffer => Buffer.concat([key, AFTER]);

/** The keys of one comparison or of a regex with a fixed beginning; all stay within one type. */
function intervalOf(leaf: Leaf): Interval | undefined {
  const { operator, operand } = leaf;
  if (operator === 'regex') return prefixInterval(operand as BSONRegExp);
  if (!['gt', 'gte', 'lt', 'lte'].includes(operator) || Array.isArray(operand) || isNaNValue(operand)) return undefined;
  const rank = rankOf(operand);
  if (rank === Rank.null || rank === Rank.minKey || rank === Rank.maxKey) return undefined;
  const key = encodeKey(operand);
  // Numbers begin with NaN, which no range holds.
  const first = rank === Rank.number ? Buffer.from([rank, 0, 0, 0, 0, 0, 0, 0, 1]) : Buffer.from([rank]);
  const last = Buffer.from([rank, 0xff]);
  switch (operator) {
    case 'gt':
      return { low: after(key), high: last };
    case 'gte':
      return { low: key, high: last };
    case 'lt':
      return { low: first, high: key };
    default:
      return { low: first, high: after(key) };
  }
}

function prefixInterval(pattern: BSONRegExp): Interval | undefined {
  if (pattern.options !== '') return undefined;
  // A quantifier after the last letter makes it optional; an alternative makes all of it so.
  const fixed = /^\^([A-Za-z0-9 _:/@#,;=!"'<>-]+)(?![*?{])/.exec(pattern.pattern)?.[1];
  if (!fixed || pattern.pattern.includes('|')) return undefined;
  const text = Buffer.concat([Buffer.from([Rank.string]), Buffer.from(fixed, 'utf8')]);
  return { low: text, high: after(text) };
}

/** Reads a sort specification. @throws CommandError BadValue (2) for directions other than 1 and -1. */
export function parseSort(specification: ReadonlyMap<string, Value> | undefined): SortField[] {
  return [...(specification ?? [])].map(([name, direction]) => {
    const number = Number(direction instanceof Map ? NaN : direction);
    if (number !== 1 && number !== -1)
      throw new CommandError(
        'BadValue',
        `$sort key ordering must be 1 (for ascending) or -1 (for descending): ${name}`,
      );
    if (name === '') throw new CommandError(15998, 'FieldPath field names may not be empty strings.');
    return { name, path: splitPath(name), direction: number };
  });
}
