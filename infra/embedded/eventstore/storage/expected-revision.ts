/**
 * Whether an append may happen: EventStoreDB's rules, from `Services/Storage/ReaderIndex/IndexWriter.cs CheckCommit`.
 */
import { type RecentEvent } from './recent-ids';
import { isSoftDeleted, type StreamHead } from './head';

export const ANY = -2;
export const NO_STREAM = -1;
export const STREAM_EXISTS = -4;

export type Decision =
  | { kind: 'ok' }
  | { kind: 'idempotent'; revision: number; position: number | undefined }
  | { kind: 'wrong-expected-version' }
  | { kind: 'stream-deleted' };

export interface Facts {
  head: StreamHead;
  /** Whether `$$<stream>` holds an event. */
  metastreamExists(): boolean;
  /** The recently written event with this id, if it went to the same stream. */
  recent(id: string): RecentEvent | undefined;
  /** Id and position of the stored event at a revision of the stream, written or about to be. */
  stored(revision: number): { id: string; position: number } | undefined;
}

const ok: Decision = { kind: 'ok' };
const wrong: Decision = { kind: 'wrong-expected-version' };
const deleted: Decision = { kind: 'stream-deleted' };

/**
 * Decides an append of events with the given ids.
 * @param expected a revision, or ANY, NO_STREAM, STREAM_EXISTS
 */
export function decideAppend(expected: number, ids: readonly string[], facts: Facts): Decision {
  const { head } = facts;
  if (head.tombstoned) return deleted;
  if (expected === STREAM_EXISTS) {
    if (isSoftDeleted(head)) return deleted;
    if (head.last < 0 && !facts.metastreamExists()) return wrong;
  }
  if (expected === ANY || expected === STREAM_EXISTS) return weakIdempotency(ids, facts);
  if (expected < head.last) return strongIdempotency(expected, ids, facts);
  return expected > head.last ? wrong : ok;
}

/** Best effort, from memory: all ids known means a repeated append; only the first ones known means another batch. */
function weakIdempotency(ids: readonly string[], facts: Facts): Decision {
  let last: RecentEvent | undefined;
  for (const id of ids) {
    const known = facts.recent(id);
    if (!known) return last ? wrong : ok;
    last = known;
  }
  return last ? { kind: 'idempotent', revision: last.revision, position: last.position } : ok;
}

/** Exact: the stored events after the expected revision are these events. */
function strongIdempotency(expected: number, ids: readonly string[], facts: Facts): Decision {
  let revision = expected;
  let position: number | undefined;
  for (const id of ids) {
    revision++;
    const stored = facts.stored(revision);
    if (stored?.id === id) {
      position = stored.position;
      continue;
    }
    const first = revision === expected + 1;
    return first && expected === NO_STREAM && isSoftDeleted(facts.head) ? ok : wrong;
  }
  return revision === expected ? wrong : { kind: 'idempotent', revision, position };
}
