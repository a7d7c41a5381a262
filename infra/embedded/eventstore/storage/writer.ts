/**
 * The single writer. An append is decided at once against the state that includes everything queued before it, then waits
 * for the group commit that carries it: all that the connections brought in one turn of the event loop, or while the last commit
 * kept it busy, goes to disk together.
 */
import { randomUUID } from 'node:crypto';
import { DELETED_METADATA, parseMetadata, undeletedMetadata } from '../streams/metadata';
import {
  encodeRecord,
  type EventToRecord,
  recordData,
  recordId,
  recordPosition,
  TOMBSTONE_REVISION,
  viewRecord,
} from '../wire/record';
import { decideAppend, type Decision } from './expected-revision';
import { isMetastream, isSoftDeleted, metastreamOf, originalOf, type StreamHead, type StreamHeads } from './head';
import { RecentIds } from './recent-ids';
import { type Batch, emptyBatch, type Store } from './store';

export type WriteOutcome =
  | { kind: 'success'; revision: number; position: number | undefined }
  | { kind: 'wrong-expected-version'; current: number }
  | { kind: 'stream-deleted' };

/** The disk refused a commit. Nothing of that group was stored, and the engine writes no more. */
export class WriteFailedError extends Error {
  override name = 'WriteFailedError';
}

/** Told after a commit which streams it added to. */
export type CommitListener = (streams: Iterable<string>) => void;

interface CommitGroup {
  batch: Batch;
  heads: Map<string, StreamHead>;
  /** Records of this group by stream and revision, for checks against events that are not on disk yet. */
  entries: Map<string, Map<number, Buffer>>;
  waiters: { resolve: (outcome: WriteOutcome) => void; reject: (error: Error) => void; outcome: WriteOutcome }[];
}

const newCommitGroup = (): CommitGroup => ({
  batch: emptyBatch(),
  heads: new Map(),
  entries: new Map(),
  waiters: [],
});

/** How much of the end of the log is looked at on start, in bytes: the real server's cache of committed ids. */
const WARM_BYTES = 8 * 1024 * 1024;

const SYSTEM_EVENT = { contentType: 'application/json', customMetadata: Buffer.alloc(0) };

export class Writer {
  private queued = newCommitGroup();
  private scheduled = false;
  private failure: WriteFailedError | undefined;
  private nextPosition: number;
  private readonly recent = new RecentIds();
  private readonly listeners: CommitListener[] = [];
  private idle: (() => void)[] = [];

  constructor(
    private readonly store: Store,
    private readonly heads: StreamHeads,
  ) {
    this.nextPosition = store.nextPosition();
    // A client whose acknowledgement was lost in a crash retries after the restart: its ids must still be known.
    for (const { raw } of store.page(this.nextPosition, RecentIds.capacity, WARM_BYTES, true).reverse())
      this.remember(raw);
  }

  /** Calls the listener after every commit, for as long as the engine runs. */
  onCommit(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /**
   * Appends events to one stream, all or none.
   * @param expected a revision, ANY, NO_STREAM or STREAM_EXISTS
   * @throws WriteFailedError when the disk does not take it
   */
  append(stream: string, expected: number, events: readonly EventToRecord[]): Promise<WriteOutcome> {
    const head = this.head(stream);
    const decision = this.decide(stream, head, expected, events);
    if (decision.kind !== 'ok') return this.answer(this.outcomeOf(decision, head));
    if (events.length === 0) return this.answer({ kind: 'success', revision: head.last, position: undefined });

    const undelete = isSoftDeleted(head);
    const undeleteOriginal = isMetastream(stream) && isSoftDeleted(this.head(originalOf(stream)));
    let position = 0;
    for (const event of events) position = this.record(stream, event);
    const outcome: WriteOutcome = { kind: 'success', revision: this.head(stream).last, position };
    if (undelete) this.undelete(stream, head.last + 1);
    if (undeleteOriginal) this.undelete(originalOf(stream), this.head(originalOf(stream)).last + 1);
    return this.answer(outcome, true);
  }

  /** Soft delete: hides all events so far. A stream that never existed is a wrong expected version, even for ANY. */
  delete(stream: string, expected: number): Promise<WriteOutcome> {
    const head = this.head(stream);
    const decision = this.decide(stream, head, expected, [{ id: randomUUID() }]);
    if (decision.kind !== 'ok') return this.answer(this.outcomeOf(decision, head));
    const metastream = metastreamOf(stream);
    if (head.last < 0 && this.head(metastream).last < 0) {
      return this.answer({ kind: 'wrong-expected-version', current: -1 });
    }
    const position = this.record(metastream, metadataEvent(DELETED_METADATA));
    return this.answer({ kind: 'success', revision: head.last, position }, true);
  }

  /** Hard delete: the stream can never be read or written again. */
  tombstone(stream: string, expected: number): Promise<WriteOutcome> {
    const head = this.head(stream);
    const decision = this.decide(stream, head, expected, [{ id: randomUUID() }]);
    if (decision.kind !== 'ok') return this.answer(this.outcomeOf(decision, head));
    const event = { ...SYSTEM_EVENT, id: randomUUID(), type: '$streamDeleted', data: Buffer.from('{}') };
    const position = this.record(stream, event, true);
    return this.answer({ kind: 'success', revision: head.last, position }, true);
  }

  /** Stores the state of a persistent subscription group with the next commit. */
  async saveGroup(key: string, value: Buffer): Promise<void> {
    this.queued.batch.groups.set(key, value);
    await this.answer({ kind: 'success', revision: 0, position: undefined }, true);
  }

  /** Resolves when nothing is waiting for the disk. */
  settled(): Promise<void> {
    return this.scheduled ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
  }

  private decide(stream: string, head: StreamHead, expected: number, events: readonly { id: string }[]): Decision {
    if (isMetastream(stream) && this.head(originalOf(stream)).tombstoned) return { kind: 'stream-deleted' };
    return decideAppend(
      expected,
      events.map((event) => event.id),
      {
        head,
        metastreamExists: () => this.head(metastreamOf(stream)).last >= 0,
        recent: (id) => {
          const known = this.recent.get(id);
          return known?.stream === stream ? known : undefined;
        },
        stored: (revision) => {
          const raw = this.storedRecord(stream, head, revision);
          return raw && { id: recordId(raw), position: recordPosition(raw) };
        },
      },
    );
  }

  private outcomeOf(decision: Exclude<Decision, { kind: 'ok' }>, head: StreamHead): WriteOutcome {
    switch (decision.kind) {
      case 'idempotent':
        return { kind: 'success', revision: decision.revision, position: decision.position };
      case 'wrong-expected-version':
        return { kind: 'wrong-expected-version', current: head.last };
      case 'stream-deleted':
        return decision;
    }
  }

  /** State of a stream with everything decided so far, on disk or not. */
  private head(stream: string): StreamHead {
    return this.queued.heads.get(stream) ?? this.heads.get(stream);
  }

  /** The event at a revision, whether it is on disk or on its way there. */
  private storedRecord(stream: string, head: StreamHead, revision: number): Buffer | undefined {
    const pending = this.queued.entries.get(stream)?.get(revision);
    if (pending) return pending;
    const [entry] = head.streamNo ? this.store.entries(head.streamNo, revision, 1) : [];
    return entry?.revision === revision ? this.store.record(entry.position) : undefined;
  }

  /** Puts one event into the open group and moves the head of its stream. Returns the position of the event. */
  private record(stream: string, event: EventToRecord, tombstone = false): number {
    const { batch, heads, entries } = this.queued;
    const head = this.head(stream);
    const position = this.nextPosition;
    const revision = head.last + 1;
    const raw = encodeRecord(event, {
      stream: Buffer.from(stream),
      revision: tombstone ? TOMBSTONE_REVISION : revision,
      position,
      created: `${Date.now()}0000`,
    });
    this.nextPosition += raw.length;
    const streamNo = head.streamNo || position; // The position of its first event numbers a stream.
    if (!head.streamNo) batch.streams.push({ name: stream, streamNo });
    batch.records.push({ position, raw });
    batch.entries.push({ streamNo, revision: tombstone ? Infinity : revision, position });
    heads.set(stream, { ...head, streamNo, last: tombstone ? head.last : revision, tombstoned: tombstone });
    const revisions = entries.get(stream) ?? new Map<number, Buffer>();
    entries.set(stream, revisions.set(revision, raw));
    this.recent.add(event.id, { stream, revision, position });
    if (tombstone) batch.truncated.add(stream);
    if (isMetastream(stream)) {
      const original = originalOf(stream);
      batch.truncated.add(original);
      heads.set(original, { ...this.head(original), metadata: parseMetadata(event.data) });
    }
    return position;
  }

  /** Appending to a soft-deleted stream rewrites its metadata, so that it starts at the new events. */
  private undelete(stream: string, firstRevision: number): void {
    const metastream = metastreamOf(stream);
    const head = this.head(metastream);
    const raw = this.storedRecord(metastream, head, head.last);
    this.record(metastream, metadataEvent(undeletedMetadata(raw && recordData(raw), firstRevision)));
  }

  private remember(raw: Buffer): void {
    const { stream, revision, position } = viewRecord(raw);
    this.recent.add(recordId(raw), { stream, revision, position });
  }

  /**
   * Answers after the commit that carries the write. Refusals and repeats wait for it too when something is pending: an
   * answer must never speak of a state that a crash could still take back.
   */
  private answer(outcome: WriteOutcome, wrote = false): Promise<WriteOutcome> {
    if (this.failure) {
      this.queued = newCommitGroup();
      return Promise.reject(this.failure);
    }
    if (!wrote && this.queued.waiters.length === 0) return Promise.resolve(outcome);
    return new Promise((resolve, reject) => {
      this.queued.waiters.push({ resolve, reject, outcome });
      if (this.scheduled) return;
      this.scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  private flush(): void {
    const group = this.queued;
    this.queued = newCommitGroup();
    this.scheduled = false;
    try {
      this.store.commit(group.batch);
    } catch (error) {
      this.fail(group, error);
      return;
    }
    for (const [name, head] of group.heads) this.heads.set(name, head);
    for (const { resolve, outcome } of group.waiters) resolve(outcome);
    if (group.entries.size > 0) for (const listener of this.listeners) listener(group.entries.keys());
    for (const done of this.idle.splice(0)) done();
  }

  /** After a failed write the disk cannot be trusted (a later fsync may lie), so the engine stops writing for good. */
  private fail(group: CommitGroup, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.failure = new WriteFailedError(
      `The disk refused a write (${reason}); nothing of it was stored. Make room, then restart the engine.`,
    );
    for (const { reject } of group.waiters) reject(this.failure);
    for (const done of this.idle.splice(0)) done();
  }
}

const metadataEvent = (data: Buffer): EventToRecord => ({ ...SYSTEM_EVENT, id: randomUUID(), type: '$metadata', data });
