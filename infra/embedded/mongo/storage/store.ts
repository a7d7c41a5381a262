import { open, type RootDatabase } from 'lmdb';
import { scrubFreeSpace } from '../../lmdb-scrub';
import { CommandError } from '../errors';

export interface Entry {
  key: Buffer;
  value: Buffer;
}

/** A part of a range; `more` tells that the range goes on behind it. */
export interface Chunk {
  entries: Entry[];
  more: boolean;
}

/** Keys from `start` (inclusive) to `end` (exclusive); `reverse` walks them from the end. */
export interface KeyRange {
  start: Buffer;
  end: Buffer;
  reverse?: boolean;
}

/** Ordered keys and values: the store itself, or a transaction's view of it. */
export interface KeyValue {
  /** Grows with every change that a suspended scan may have missed. */
  readonly version: number;
  /** The value at `key`; with `fast` it is only valid until the next call. */
  get(key: Buffer, fast?: boolean): Buffer | undefined;
  /** The first entries of a range: at most `limit`, and not many megabytes of values. */
  range(range: KeyRange, limit: number, keysOnly?: boolean): Chunk;
  count(range: KeyRange): number;
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /** Changes the number of documents of a collection by `by`. */
  adjustCount(collectionId: number, by: number): void;
}

interface Job {
  run(): void;
  settle(failure: Error | undefined): void;
}

const NO_VALUE = Buffer.alloc(0);
/** Before every space of keys. */
const NO_KEY = Buffer.from([0]);
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * One LMDB environment with group commit: the writes queued in one turn of the event loop share one LMDB transaction, and
 * `write` resolves when that transaction is flushed. (`overlappingSync` stays off: with it, `transactionSync` may return before the flush.)
 */
export class Store implements KeyValue {
  private readonly env: RootDatabase<Buffer, Buffer>;
  private queue: Job[] = [];
  private scheduled = false;
  private commits = 0;
  /** Called within every write transaction before it commits. */
  beforeCommit: () => void = () => undefined;
  /** Called after a write transaction was rolled back: what is cached from it is void. */
  afterAbort: () => void = () => undefined;
  /** Called when the number of documents of a collection changes. */
  onCount: (collectionId: number, by: number) => void = () => undefined;

  constructor(private readonly path: string) {
    this.env = open<Buffer, Buffer>({
      path,
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      overlappingSync: false,
    });
  }

  get version(): number {
    return this.commits;
  }

  get(key: Buffer, fast = false): Buffer | undefined {
    if (!fast) return this.env.getBinary(key);
    const bytes = this.env.getBinaryFast(key);
    // Of 16 MiB and more it gives a view of the file, which is no Buffer and changes with it.
    return bytes === undefined || Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  }

  range({ start, end, reverse }: KeyRange, limit: number, keysOnly = false): Chunk {
    const order = reverse
      ? { start: end, end: start, reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start, end };
    const entries: Entry[] = [];
    if (keysOnly) {
      for (const key of this.env.getKeys({ ...order, limit })) entries.push({ key, value: NO_VALUE });
      return { entries, more: entries.length === limit };
    }
    let bytes = 0;
    for (const { key, value } of this.env.getRange({ ...order, limit })) {
      entries.push({ key, value });
      bytes += value.length;
      if (bytes > MAX_CHUNK_BYTES) return { entries, more: true };
    }
    return { entries, more: entries.length === limit };
  }

  count({ start, end }: KeyRange): number {
    return this.env.getCount({ start, end });
  }

  put(key: Buffer, value: Buffer): void {
    this.env.putSync(key, value);
  }

  remove(key: Buffer): void {
    this.env.removeSync(key);
  }

  adjustCount(collectionId: number, by: number): void {
    this.onCount(collectionId, by);
  }

  /**
   * Runs `work` in the next write transaction and resolves once it is on disk. A CommandError that `work` throws fails this
   * call only and keeps what it wrote before, as a failing statement keeps the ones before it; any other error rolls back all of it.
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settle: () => void;
      this.queue.push({
        run: () => {
          try {
            const result = work();
            settle = () => resolve(result);
          } catch (error) {
            if (!(error instanceof CommandError)) throw error;
            settle = () => reject(error);
          }
        },
        settle: (failure) => (failure === undefined ? settle() : reject(failure)),
      });
      if (this.scheduled) return;
      this.scheduled = true;
      setImmediate(() => this.commitQueue());
    });
  }

  private commitQueue(): void {
    this.scheduled = false;
    const jobs = this.queue;
    this.queue = [];
    const failure = this.commit(jobs);
    // One job's unexpected error must not fail its neighbours: each gets a transaction of its own.
    if (failure !== undefined && jobs.length > 1) for (const job of jobs) job.settle(this.commit([job]));
    else for (const job of jobs) job.settle(failure);
  }

  private commit(jobs: Job[]): Error | undefined {
    try {
      this.env.transactionSync(() => {
        for (const job of jobs) job.run();
        this.beforeCommit();
      });
      this.commits++;
      return undefined;
    } catch (error) {
      this.afterAbort();
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Overwrites what removed and replaced documents left in the file. Serves nobody in the meantime. */
  async scrub(): Promise<void> {
    // The file keeps two states: after two more commits neither knows what was removed.
    for (let commit = 0; commit < 2; commit++) await this.write(() => this.touch());
    this.env.resetReadTxn();
    scrubFreeSpace(this.path);
  }

  /** A change that changes nothing: LMDB does not commit a transaction without one. */
  private touch(): void {
    this.env.putSync(NO_KEY, NO_VALUE);
    this.env.removeSync(NO_KEY);
  }

  /** Waits for queued writes, then releases the files. */
  async close(): Promise<void> {
    if (this.scheduled) await this.write(() => undefined);
    await this.env.close();
  }
}
