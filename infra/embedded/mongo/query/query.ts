import { compareValues } from '../bson/compare';
import { RawDocument } from '../bson/read';
import { type Collection } from '../storage/collection';
import { CommandError } from '../errors';
import { EMPTY_ARRAY } from '../storage/index-keys';
import { encodeKey, invert } from '../bson/key-encoding';
import { recordOf, successor } from '../storage/keys';
import { type Filter, matches } from './matcher';
import { type Path, someValue } from '../bson/paths';
import { type Hint, idOf, plan, type Plan, type SortField } from './planner';
import { type Entry, type KeyRange, type KeyValue } from '../storage/store';
import { type Fields, type Value } from '../bson/values';

export interface Query {
  filter: Filter;
  sort: readonly SortField[];
  skip: number;
  /** 0 for all. */
  limit: number;
  hint?: Hint | undefined;
  deadline: Deadline;
  /** Counted for `explain`. */
  examined?: Examined;
}

/** How many index entries and documents a query looked at. */
export interface Examined {
  keys: number;
  documents: number;
}

/** A document found, with the record that holds it. */
export interface Found {
  record: number;
  doc: RawDocument;
}

/** What an in-memory sort may hold: keys and record ids, not documents. */
const MAX_SORT_BYTES = 100 * 1024 * 1024;
const FIRST_CHUNK = 32;
const LARGEST_CHUNK = 512;

/** The time that a command may work, from its `maxTimeMS`. The time between two batches of a cursor does not count. */
export class Deadline {
  private ticks = 0;
  private since = Date.now();

  private constructor(private left: number) {}

  /** 0 for no limit. */
  static in(milliseconds: number): Deadline {
    return new Deadline(milliseconds > 0 ? milliseconds : Infinity);
  }

  resume(): void {
    this.since = Date.now();
  }

  pause(): void {
    this.left -= Date.now() - this.since;
  }

  /** @throws CommandError MaxTimeMSExpired (50); looks at the clock only now and then. */
  check(): void {
    if (this.left === Infinity || ++this.ticks % 64 !== 0) return;
    if (Date.now() - this.since > this.left)
      throw new CommandError('MaxTimeMSExpired', 'operation exceeded time limit');
  }
}

/**
 * The documents of a query, in order. The generator holds no storage handle, so it can be left and resumed at any time: it
 * then sees what was committed since, beginning after the last document it gave.
 */
export function* find(kv: KeyValue, collection: Collection, query: Query): Generator<Found> {
  const chosen = plan(collection, query.filter, query.sort, query.hint);
  const found = candidates(kv, collection, chosen, query);
  const ordered = chosen.sorted ? found : sorted(kv, collection, found, query);
  let skip = query.skip;
  let left = query.limit === 0 ? Infinity : query.limit;
  for (const one of ordered) {
    if (skip-- > 0) continue;
    yield one;
    if (--left <= 0) return;
  }
}

/** The first document of a query. One `_id` is looked up without a plan; with `fast` the document is valid until the store's next call. */
export function findFirst(kv: KeyValue, collection: Collection, query: Query, fast = false): Found | undefined {
  const id = query.sort.length === 0 && !query.hint ? idOf(query.filter) : undefined;
  if (id === undefined) {
    const [first] = find(kv, collection, { ...query, limit: 1 });
    return first;
  }
  query.deadline.check();
  const record = collection.recordOfId(kv, id);
  const doc = record === undefined ? undefined : collection.read(kv, record, fast);
  return doc && (query.filter.kind === 'leaf' || matches(query.filter, doc)) ? { record: record!, doc } : undefined;
}

function* candidates(kv: KeyValue, collection: Collection, chosen: Plan, query: Query): Generator<Found> {
  const seen = chosen.repeats ? new Set<number>() : undefined;
  const { filter, deadline } = query;
  const started = kv.version;
  for (const { record, bytes } of records(kv, chosen)) {
    deadline.check();
    if (seen?.has(record)) continue;
    const doc = bytes ? new RawDocument(bytes) : collection.read(kv, record);
    if (query.examined && !bytes) query.examined.keys++;
    if (!doc) continue;
    if (query.examined) query.examined.documents++;
    // An index entry tells the truth only about the version of the document that it was read with.
    if ((!chosen.exact || kv.version !== started) && !matches(filter, doc)) continue;
    seen?.add(record);
    yield { record, doc };
  }
}

interface RecordRef {
  record: number;
  bytes?: Buffer;
}

function* records(kv: KeyValue, chosen: Plan): Generator<RecordRef> {
  const { index } = chosen;
  for (const range of chosen.ranges) {
    if (chosen.lookups) {
      const holder = kv.get(range.start, true);
      if (holder) yield { record: recordOf(holder) };
      continue;
    }
    for (const { key, value } of entries(kv, range, index !== undefined && !index.meta.unique)) {
      if (!index) yield { record: recordOf(key), bytes: value };
      else yield { record: recordOf(index.meta.unique ? value : key) };
    }
  }
}

/** The entries of a range, read in chunks; a chunk that was overtaken by a commit is read again from where the reader is. */
function* entries(kv: KeyValue, range: KeyRange, keysOnly: boolean): Generator<Entry> {
  let { start, end } = range;
  let size = FIRST_CHUNK;
  for (;;) {
    const version = kv.version;
    const chunk = kv.range({ start, end, ...(range.reverse && { reverse: true }) }, size, keysOnly);
    let last: Buffer | undefined;
    for (const entry of chunk.entries) {
      last = entry.key;
      yield entry;
      if (kv.version !== version) break;
    }
    if (!last || (!chunk.more && kv.version === version)) return;
    if (range.reverse) end = last;
    else start = successor(last);
    size = Math.min(LARGEST_CHUNK, size * 2);
  }
}

/** Sorts in memory by encoded keys and reads the documents again as they are given; ties keep the order of the scan. */
function* sorted(kv: KeyValue, collection: Collection, found: Iterable<Found>, query: Query): Generator<Found> {
  const keep = query.limit === 0 ? Infinity : query.skip + query.limit;
  let rows: { key: Buffer; record: number }[] = [];
  let bytes = 0;
  for (const { record, doc } of found) {
    const key = sortKey(doc, query.sort);
    rows.push({ key, record });
    bytes += key.length + 64;
    if (rows.length >= keep * 2 + 64) rows = rows.sort(byKey).slice(0, keep);
    else if (bytes > MAX_SORT_BYTES && keep === Infinity)
      throw new CommandError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Sort exceeded memory limit of ${MAX_SORT_BYTES} bytes; this engine does not sort on disk, so add an index or a limit`,
      );
  }
  const version = kv.version;
  for (const { record } of rows.sort(byKey)) {
    const doc = collection.read(kv, record);
    if (doc && (kv.version === version || matches(query.filter, doc))) yield { record, doc };
  }
}

const byKey = (a: { key: Buffer }, b: { key: Buffer }): number => Buffer.compare(a.key, b.key);

/** The encoded sort key: of an array, the least element counts when ascending and the greatest when descending. */
export function sortKey(doc: Fields, sort: readonly SortField[]): Buffer {
  return Buffer.concat(
    sort.map(({ path, direction }) => {
      const key = encodeKey(sortValue(doc, path, direction));
      return direction === 1 ? key : invert(key);
    }),
  );
}

function sortValue(doc: Fields, path: Path, direction: 1 | -1): Value | undefined {
  const single = path.length === 1 ? doc.get(path[0]!) : undefined;
  if (path.length === 1 && !Array.isArray(single)) return single;
  let best: Value | undefined;
  let any = false;
  const consider = (value: Value | undefined): void => {
    if (!any || compareValues(value, best) * direction < 0) best = value;
    any = true;
  };
  someValue(doc, path, 'whole', (value) => {
    if (!Array.isArray(value)) consider(value);
    else if (value.length === 0) consider(EMPTY_ARRAY);
    else value.forEach(consider);
    return false;
  });
  return best;
}

/** The number of documents that a query finds; read from the index alone where the plan is exact. */
export function count(kv: KeyValue, collection: Collection, query: Query): number {
  const chosen = plan(collection, query.filter, [], query.hint);
  const found =
    chosen.exact && !chosen.repeats
      ? chosen.ranges.reduce((sum, range) => sum + kv.count(range), 0)
      : countEach(kv, collection, chosen, query);
  const rest = Math.max(0, found - query.skip);
  return query.limit === 0 ? rest : Math.min(rest, query.limit);
}

function countEach(kv: KeyValue, collection: Collection, chosen: Plan, query: Query): number {
  let total = 0;
  const enough = query.limit === 0 ? Infinity : query.skip + query.limit;
  for (const _found of candidates(kv, collection, chosen, query)) if (++total >= enough) break;
  return total;
}
