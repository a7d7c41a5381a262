/**
 * The single writer. Writes wait in the order in which they came and go to disk in groups. Each is decided when its turn comes,
 * against a state that includes all before it, and is answered when its group is on disk.
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

/** A write that waits for its turn. */
interface Waiting {
  /** Decides the write and puts what it stores into the open group. */
  write: () => WriteOutcome;
  resolve: (outcome: WriteOutcome) => void;
  reject: (error: unknown) => void;
}

/** What goes to disk together. */
interface CommitGroup {
  batch: Batch;
  heads: Map<string, StreamHead>;
  /** Records of this group by stream, in order of revision, for checks against events that are not on disk yet. */
  records: Map<string, { from: number; raws: Buffer[] }>;
}

const newCommitGroup = (): CommitGroup => ({ batch: emptyBatch(), heads: new Map(), records: new Map() });

/**
 * Time that an event takes in this process besides the flush, in milliseconds, about. A group takes as many events as could be worked
 * on during one flush: fewer would flush too often, and with more, clients that wait for all of them would have nothing to do meanwhile.
 */
const EVENT_TIME = 0.015;
/** Events of a group that are always worth a flush, however fast the disk is: a transaction costs more than its flush then. */
const LEAST = 16;
/** Writers at the same time from which on a group waits for more of them, and for how many milliseconds at most. */
const MANY = 8;
const PATIENCE = 1;
/** Flushes over which their time is averaged. */
const FLUSHES_REMEMBERED = 8;

/** How much of the end of the log is looked at on start, in bytes: the real server's cache of committed ids. */
const WARM_BYTES = 8 * 1024 * 1024;

const SYSTEM_EVENT = { contentType: 'application/json', customMetadata: Buffer.alloc(0) };

export class Writer {
  private waiting: Waiting[] = [];
  private open = newCommitGroup();
  private turn: NodeJS.Immediate | undefined;
  private patience: NodeJS.Timeout | undefined;
  /** How many writes should wait before it is worth a flush. */
  private enough = 1;
  /** Milliseconds that the last flushes took. */
  private flushTime = 0;
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
    return this.enqueue(() => {
      const head = this.head(stream);
      const decision = this.decide(stream, head, expected, events);
      if (decision.kind !== 'ok') return this.outcomeOf(decision, head);
      if (events.length === 0) return { kind: 'success', revision: head.last, position: undefined };

      const undelete = isSoftDeleted(head);
      const undeleteOriginal = isMetastream(stream) && isSoftDeleted(this.head(originalOf(stream)));
      let position = 0;
      for (const event of events) position = this.record(stream, event);
      const outcome: WriteOutcome = { kind: 'success', revision: this.head(stream).last, position };
      if (undelete) this.undelete(stream, head.last + 1);
      if (undeleteOriginal) this.undelete(originalOf(stream), this.head(originalOf(stream)).last + 1);
      return outcome;
    });
  }

  /** Soft delete: hides all events so far. A stream that never existed is a wrong expected version, even for ANY. */
  delete(stream: string, expected: number): Promise<WriteOutcome> {
    return this.enqueue(() => {
      const head = this.head(stream);
      const decision = this.decide(stream, head, expected, [{ id: randomUUID() }]);
      if (decision.kind !== 'ok') return this.outcomeOf(decision, head);
      const metastream = metastreamOf(stream);
      if (head.last < 0 && this.head(metastream).last < 0) return { kind: 'wrong-expected-version', current: -1 };
      const position = this.record(metastream, metadataEvent(DELETED_METADATA));
      return { kind: 'success', revision: head.last, position };
    });
  }

  /** Hard delete: the stream can never be read or written again. */
  tombstone(stream: string, expected: number): Promise<WriteOutcome> {
    return this.enqueue(() => {
      const head = this.head(stream);
      const decision = this.decide(stream, head, expected, [{ id: randomUUID() }]);
      if (decision.kind !== 'ok') return this.outcomeOf(decision, head);
      const event = { ...SYSTEM_EVENT, id: randomUUID(), type: '$streamDeleted', data: Buffer.from('{}') };
      const position = this.record(stream, event, true);
      return { kind: 'success', revision: head.last, position };
    });
  }

  /** Stores the state of a persistent subscription group. */
  async saveGroup(key: string, value: Buffer): Promise<void> {
    await this.enqueue(() => {
      this.open.batch.groups.set(key, value);
      return { kind: 'success', revision: 0, position: undefined };
    });
  }

  /** Resolves when nothing is waiting for the disk. */
  settled(): Promise<void> {
    return this.waiting.length > 0 ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
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
    return this.open.heads.get(stream) ?? this.heads.get(stream);
  }

  /** The event at a revision, whether it is on disk or on its way there. */
  private storedRecord(stream: string, head: StreamHead, revision: number): Buffer | undefined {
    const pending = this.open.records.get(stream);
    if (pending && revision >= pending.from) return pending.raws[revision - pending.from];
    const [entry] = head.streamNo ? this.store.entries(head.streamNo, revision, 1) : [];
    return entry?.revision === revision ? this.store.record(entry.position) : undefined;
  }

  /** Puts one event into the open group and moves the head of its stream. Returns the position of the event. */
  private record(stream: string, event: EventToRecord, tombstone = false): number {
    const { batch, heads, records } = this.open;
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
    const known = records.get(stream);
    if (known) known.raws.push(raw);
    else records.set(stream, { from: revision, raws: [raw] });
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

  private enqueue(write: () => WriteOutcome): Promise<WriteOutcome> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting.push({ write, resolve, reject });
      this.schedule();
    });
  }

  /** The next group goes when the event loop has taken in what has arrived, or a little later while more are expected. */
  private schedule(): void {
    if (this.turn) return;
    if (this.waiting.length >= this.enough) {
      clearTimeout(this.patience);
      this.patience = undefined;
      this.turn = setImmediate(() => this.commitGroup());
    } else this.patience ??= setTimeout(() => this.commitGroup(), PATIENCE);
  }

  /**
   * Answers are given after the commit, to refusals and repeats too: an answer must never speak of a state that a crash could still
   * take back.
   */
  private commitGroup(): void {
    this.turn = undefined;
    this.patience = undefined;
    const answers = this.fillGroup();
    const group = this.open;
    this.open = newCommitGroup();
    try {
      if (group.batch.records.length > 0 || group.batch.groups.size > 0) this.flush(group.batch);
    } catch (error) {
      this.fail(answers, error);
      return;
    }
    for (const [name, head] of group.heads) this.heads.set(name, head);
    for (const { resolve, outcome } of answers) resolve(outcome);
    if (group.records.size > 0) for (const listener of this.listeners) listener(group.records.keys());
    if (this.waiting.length > 0) this.schedule();
    else for (const done of this.idle.splice(0)) done();
  }

  /** Takes the writes whose turn it is. */
  private fillGroup(): (Waiting & { outcome: WriteOutcome })[] {
    const { records } = this.open.batch;
    const most = Math.max(LEAST, this.flushTime / EVENT_TIME);
    const company = this.waiting.length;
    this.enough = company < MANY ? 1 : Math.min(most, company / 2);
    const answers: (Waiting & { outcome: WriteOutcome })[] = [];
    let taken = 0;
    while (taken < company && records.length < most) {
      const next = this.waiting[taken++]!;
      try {
        answers.push({ ...next, outcome: next.write() });
      } catch (error) {
        next.reject(error);
      }
    }
    this.waiting = this.waiting.slice(taken);
    return answers;
  }

  private flush(batch: Batch): void {
    const start = performance.now();
    this.store.commit(batch);
    const took = performance.now() - start;
    this.flushTime += (took - this.flushTime) / FLUSHES_REMEMBERED;
  }

  /** After a failed write the disk cannot be trusted (a later fsync may lie), so the engine stops writing for good. */
  private fail(answers: readonly Waiting[], error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.failure = new WriteFailedError(
      `The disk refused a write (${reason}); nothing of it was stored. Make room, then restart the engine.`,
    );
    for (const { reject } of [...answers, ...this.waiting.splice(0)]) reject(this.failure);
    for (const done of this.idle.splice(0)) done();
  }
}

const metadataEvent = (data: Buffer): EventToRecord => ({ ...SYSTEM_EVENT, id: randomUUID(), type: '$metadata', data });
