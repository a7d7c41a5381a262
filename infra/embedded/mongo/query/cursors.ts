import { randomBytes } from 'node:crypto';
import { CommandError } from '../errors';
import { type Deadline } from './query';
import { type Document, document, RawBson } from '../bson/values';

/** The default size of a first batch, and the most that one reply carries (MongoDB manual, "Cursor batches"). */
const FIRST_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const IDLE_MILLISECONDS = 10 * 60_000;

/** The documents of a result, made one at a time as BSON bytes. */
export type Results = Iterator<Buffer>;

interface Cursor {
  id: bigint;
  namespace: string;
  session: string | undefined;
  results: Results;
  /** Read ahead, so that a reply knows whether it is the last one. */
  pending: Buffer | undefined;
  usedAt: number;
  kept: boolean;
  deadline: Deadline | undefined;
}

/** Open cursors. A cursor is a suspended generator and holds at most one chunk of a scan, or the keys of a sort. */
export class Cursors {
  private readonly open = new Map<bigint, Cursor>();
  private readonly sweep = setInterval(() => this.dropIdle(), 30_000).unref();

  get size(): number {
    return this.open.size;
  }

  /** The reply to the command that makes a cursor; `batchSize` 0 opens it without reading. */
  start(
    namespace: string,
    results: Results,
    options: {
      batchSize: number | undefined;
      single: boolean;
      session: string | undefined;
      kept: boolean;
      deadline?: Deadline;
    },
  ): Document {
    const cursor: Cursor = {
      id: 0n,
      namespace,
      session: options.session,
      results,
      pending: undefined,
      usedAt: Date.now(),
      kept: options.kept,
      deadline: options.deadline,
    };
    const size = options.batchSize ?? FIRST_BATCH;
    const batch = size === 0 ? [] : this.fill(cursor, size);
    const done = options.single || (size > 0 && cursor.pending === undefined);
    if (!done) {
      cursor.id = newId();
      this.open.set(cursor.id, cursor);
    }
    return reply('firstBatch', batch, cursor.id, namespace);
  }

  /** @throws CommandError CursorNotFound (43) when it was exhausted, killed or idle for too long. */
  more(id: bigint, namespace: string, batchSize: number): Document {
    const cursor = this.open.get(id);
    if (!cursor) throw new CommandError('CursorNotFound', `cursor id ${id} not found`);
    if (cursor.namespace !== namespace)
      throw new CommandError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    try {
      const batch = this.fill(cursor, batchSize || Infinity);
      cursor.usedAt = Date.now();
      if (cursor.pending === undefined) this.open.delete(id);
      return reply('nextBatch', batch, cursor.pending === undefined ? 0n : id, namespace);
    } catch (error) {
      this.open.delete(id);
      throw error;
    }
  }

  /** The session that opened the cursor. */
  sessionOf(id: bigint): string | undefined {
    return this.open.get(id)?.session;
  }

  /** Whether there was such a cursor. */
  kill(id: bigint): boolean {
    return this.open.delete(id);
  }

  killSession(session: string): void {
    for (const cursor of this.open.values()) if (cursor.session === session) this.open.delete(cursor.id);
  }

  /** Closes the cursors of a collection that is gone. */
  killNamespace(namespace: string): void {
    for (const cursor of this.open.values()) if (cursor.namespace === namespace) this.open.delete(cursor.id);
  }

  close(): void {
    clearInterval(this.sweep);
    this.open.clear();
  }

  private fill(cursor: Cursor, size: number): RawBson[] {
    cursor.deadline?.resume();
    try {
      return this.read(cursor, size);
    } finally {
      cursor.deadline?.pause();
    }
  }

  private read(cursor: Cursor, size: number): RawBson[] {
    const batch: RawBson[] = [];
    let bytes = 0;
    let next = cursor.pending ?? this.advance(cursor);
    while (next && batch.length < size && (batch.length === 0 || bytes + next.length <= MAX_BATCH_BYTES)) {
      batch.push(new RawBson(next));
      bytes += next.length;
      next = this.advance(cursor);
    }
    cursor.pending = next;
    return batch;
  }

  private advance(cursor: Cursor): Buffer | undefined {
    const next = cursor.results.next();
    return next.done ? undefined : next.value;
  }

  private dropIdle(): void {
    const limit = Date.now() - IDLE_MILLISECONDS;
    for (const cursor of this.open.values()) if (!cursor.kept && cursor.usedAt < limit) this.open.delete(cursor.id);
  }
}

/** A positive int64 that cannot be guessed. */
function newId(): bigint {
  return BigInt(`0x${randomBytes(8).toString('hex')}`) >> 1n || 1n;
}

function reply(name: 'firstBatch' | 'nextBatch', batch: RawBson[], id: bigint, namespace: string): Document {
  return document({ cursor: document({ [name]: batch, id, ns: namespace }), ok: 1 });
}
