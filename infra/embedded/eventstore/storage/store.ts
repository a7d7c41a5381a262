/**
 * The LMDB environment: five tables, read in committed snapshots, written only in whole groups.
 *
 * `overlappingSync` is off, so a transaction becomes visible to readers only after it was flushed: whatever a reader sees
 * survives a crash, and no separate watermark is needed.
 */
import { createHash } from 'node:crypto';
import { type Database, open, type RootDatabase } from 'lmdb';
import { scrubFreeSpace } from '../../lmdb-scrub';
import { viewRecord } from '../wire/record';
import { RecentIndex } from './recent-index';

/** First position handed out. Not 0, because a subscription from position 0 means "after position 0". */
const FIRST_POSITION = 64;
const INDEXED_TO = Buffer.from('indexed-to');
/** Before the name of each stream that was truncated or tombstoned, so that a scavenge need not look at the others. */
const TRUNCATED = 'truncated:';
/** When the recent index is merged into LMDB: entries in memory, or bytes of log to read again after a crash. */
const RECENT_ENTRIES = 2048;
const RECENT_BYTES = 8 * 1024 * 1024;
const TOMBSTONE_KEY_REVISION = 0xffff_ffff_ffff;
/** Names up to this many bytes are their own key; LMDB keys end at 1,978 bytes. */
const MAX_NAME_KEY = 1024;

/** One stored event and where it stands in the log. */
export interface LogRecord {
  /** Byte offset in the log: strictly increasing, not dense. */
  position: number;
  /** The record in wire format. */
  raw: Buffer;
}

/** Place of an event in its stream. */
export interface IndexEntry {
  /** Infinity for the tombstone. */
  revision: number;
  position: number;
}

export interface NewEntry extends IndexEntry {
  streamNo: number;
}

export interface NewStream {
  name: string;
  /** The position of the first event of the stream. */
  streamNo: number;
}

/** What one commit adds. */
export interface Batch {
  records: LogRecord[];
  entries: NewEntry[];
  streams: NewStream[];
  /** By key, so that no value is replaced inside its own transaction: lmdb-file.ts relies on it. */
  groups: Map<string, Buffer>;
  /** Names of streams whose readable part may have become shorter. */
  truncated: Set<string>;
}

export const emptyBatch = (): Batch => ({
  records: [],
  entries: [],
  streams: [],
  groups: new Map(),
  truncated: new Set(),
});

export class Store {
  private readonly env: RootDatabase<Buffer, Buffer>;
  private readonly log: Database<Buffer, Buffer>;
  private readonly index: Database<Buffer, Buffer>;
  private readonly streams: Database<Buffer, Buffer>;
  private readonly groups: Database<Buffer, Buffer>;
  private readonly state: Database<Buffer, Buffer>;
  private readonly recent = new RecentIndex();
  /** Records before this position are indexed in LMDB. */
  private indexedTo = 0;

  /** @param file path of the LMDB data file; its lock file stands beside it. */
  constructor(private readonly file: string) {
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const options = { ...binary, noSubdir: true, overlappingSync: false, mapSize: 2 ** 30 };
    this.env = open<Buffer, Buffer>(file, options);
    this.log = this.env.openDB<Buffer, Buffer>('log', binary);
    this.index = this.env.openDB<Buffer, Buffer>('index', binary);
    this.streams = this.env.openDB<Buffer, Buffer>('streams', binary);
    this.groups = this.env.openDB<Buffer, Buffer>('groups', binary);
    this.state = this.env.openDB<Buffer, Buffer>('state', binary);
    this.recover();
  }

  /**
   * Writes a batch as one transaction; returns when it is on disk and visible to readers. Synchronous on purpose: the
   * asynchronous way through LMDB's writer thread costs two thread switches, which is as much as the flush itself.
   * @throws the error of LMDB or of the disk; nothing of the batch is stored then
   */
  commit(batch: Batch): void {
    const end = endOf(batch.records) ?? this.indexedTo;
    const merge = this.recent.size + batch.entries.length > RECENT_ENTRIES || end - this.indexedTo > RECENT_BYTES;
    this.env.transactionSync(() => {
      for (const { position, raw } of batch.records) this.log.putSync(positionKey(position), raw);
      for (const [key, value] of batch.groups) this.groups.putSync(Buffer.from(key), value);
      for (const name of batch.truncated) this.state.putSync(truncatedKey(name), Buffer.from(name));
      if (merge) this.mergeIndex(batch, end);
    });
    if (merge) {
      this.recent.clear();
      this.indexedTo = end;
    } else this.recent.add(batch.entries, batch.streams);
    this.env.resetReadTxn();
  }

  /** Streams that were ever truncated or tombstoned. */
  truncatedStreams(): string[] {
    const end = Buffer.from(`${TRUNCATED.slice(0, -1)};`);
    const marks = this.state.getRange({ start: Buffer.from(TRUNCATED), end });
    return [...marks].map(({ value }) => Buffer.from(value).toString());
  }

  /**
   * Takes records out of the log for good, and overwrites with zeros whatever of them is left in the file. Their index entries stay:
   * nobody asks for them.
   */
  remove(positions: readonly number[]): void {
    this.env.transactionSync(() => {
      // Recovery derives the index from the log, which from now on has gaps.
      this.mergeIndex(emptyBatch(), this.nextPosition());
      for (const position of positions) this.log.removeSync(positionKey(position));
    });
    this.indexedTo = this.nextPosition();
    this.recent.clear();
    // The file keeps two states of the tables: after two more commits neither knows the records.
    for (let commit = 0; commit < 2; commit++) {
      this.env.transactionSync(() => this.state.putSync(INDEXED_TO, positionKey(this.indexedTo)));
    }
    this.env.resetReadTxn();
    scrubFreeSpace(this.file);
  }

  private mergeIndex({ entries, streams }: Batch, end: number): void {
    const putEntry = ({ streamNo, revision, position }: NewEntry): void =>
      this.index.putSync(indexKey(streamNo, revision), positionKey(position));
    const putStream = ({ name, streamNo }: NewStream): void =>
      this.streams.putSync(nameKey(name), positionKey(streamNo));
    this.recent.forEach(putEntry, putStream);
    entries.forEach(putEntry);
    streams.forEach(putStream);
    this.state.putSync(INDEXED_TO, positionKey(end));
  }

  /** Indexes the end of the log again, as far as it was not merged into LMDB. */
  private recover(): void {
    const indexed = this.state.get(INDEXED_TO);
    this.indexedTo = indexed ? readPosition(indexed) : 0;
    for (let from = this.indexedTo; ;) {
      const page = this.page(from, RECENT_ENTRIES, RECENT_BYTES);
      for (const { position, raw } of page) {
        const { stream, revision } = viewRecord(raw);
        const known = this.streamNo(stream);
        const streamNo = known ?? position;
        this.recent.add([{ streamNo, revision, position }], known === undefined ? [{ name: stream, streamNo }] : []);
      }
      const end = endOf(page);
      if (end === undefined) return;
      from = end;
    }
  }

  /** Where the next record goes: the byte after the last one. */
  nextPosition(): number {
    for (const { key, value } of this.log.getRange({ reverse: true, limit: 1 }))
      return readPosition(key) + value.length;
    return FIRST_POSITION;
  }

  /** The stored record at a position. */
  record(position: number): Buffer | undefined {
    return this.log.get(positionKey(position));
  }

  /**
   * One page of the log in order of position: everything that stands in it. To go from the end of one record to the place of the next costs half of a
   * cursor's step, but passes over what somebody put between them, and that is what whoever verifies the log must be shown.
   * @param from first position looked at, inclusive forwards, exclusive backwards
   */
  page(from: number, limit: number, maxBytes: number, backwards = false): LogRecord[] {
    const page: LogRecord[] = [];
    let bytes = 0;
    if (backwards && from <= 0) return page;
    const start = copyOf(positionKey(backwards ? from - 1 : from));
    for (const { key, value } of this.log.getRange({ start, limit, reverse: backwards })) {
      page.push({ position: readPosition(key), raw: value });
      bytes += value.length;
      if (bytes >= maxBytes) break;
    }
    return page;
  }

  /** Position of the last committed record, 0 for an empty log. */
  lastPosition(): number {
    for (const { key } of this.log.getRange({ reverse: true, limit: 1 })) return readPosition(key);
    return 0;
  }

  streamNo(name: string): number | undefined {
    const recent = this.recent.streamNo(name);
    if (recent !== undefined) return recent;
    const value = this.streams.get(nameKey(name));
    return value && readPosition(value);
  }

  /** Revision and position of the last event of a stream; the tombstone has revision Infinity. */
  lastEntry(streamNo: number): IndexEntry | undefined {
    return this.entries(streamNo, Infinity, 1, true)[0];
  }

  /** Index entries of one stream from a revision on, inclusive, in either direction. */
  entries(streamNo: number, from: number, limit: number, backwards = false): IndexEntry[] {
    if (backwards) {
      const recent = this.recent.entries(streamNo, from, limit, true);
      return recent.length < limit ? [...recent, ...this.merged(streamNo, from, limit - recent.length, true)] : recent;
    }
    const merged = this.merged(streamNo, from, limit, false);
    if (merged.length >= limit) return merged;
    const recent = this.recent.entries(streamNo, from, limit - merged.length, false);
    return merged.length > 0 ? [...merged, ...recent] : recent;
  }

  /** The part of `entries` that is in LMDB. */
  private merged(streamNo: number, from: number, limit: number, backwards: boolean): IndexEntry[] {
    const start = copyOf(indexKey(streamNo, from));
    const end = backwards ? copyOf(indexKey(streamNo, 0)) : copyOf(indexKey(streamNo, Infinity));
    const found: IndexEntry[] = [];
    // Both bounds belong to the stream; LMDB leaves the end bound out, hence the look at it below.
    for (const { key, value } of this.index.getRange({ start, end, limit, reverse: backwards })) {
      found.push({ revision: keyRevision(key), position: readPosition(value) });
    }
    if (found.length < limit) {
      const last = this.index.get(end);
      const revision = keyRevision(end);
      if (last && (backwards ? from >= 0 : true)) found.push({ revision, position: readPosition(last) });
    }
    return found;
  }

  /** Everything stored in the table of groups. */
  allGroups(): Buffer[] {
    return [...this.groups.getRange({})].map(({ value }) => value);
  }

  close(): Promise<void> {
    return this.env.close();
  }
}

const scratchPosition = Buffer.alloc(8);
const scratchIndex = Buffer.alloc(12);

/** Big-endian, so that byte order is number order. The buffers are reused: a synchronous put copies them at once. */
function positionKey(position: number): Buffer {
  scratchPosition.writeUIntBE(position, 2, 6);
  return scratchPosition;
}

function indexKey(streamNo: number, revision: number): Buffer {
  scratchIndex.writeUIntBE(streamNo, 0, 6);
  scratchIndex.writeUIntBE(Math.min(revision, TOMBSTONE_KEY_REVISION), 6, 6);
  return scratchIndex;
}

function truncatedKey(name: string): Buffer {
  return Buffer.concat([Buffer.from(TRUNCATED), nameKey(name)]);
}

function nameKey(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= MAX_NAME_KEY) return bytes;
  return Buffer.concat([bytes.subarray(0, MAX_NAME_KEY), createHash('sha256').update(bytes).digest()]);
}

/** The position after the last of some records. */
function endOf(records: readonly LogRecord[]): number | undefined {
  const last = records.at(-1);
  return last && last.position + last.raw.length;
}

const copyOf = (buffer: Buffer): Buffer => Buffer.from(buffer);
const readPosition = (buffer: Uint8Array): number => Buffer.from(buffer.buffer, buffer.byteOffset, 8).readUIntBE(2, 6);

function keyRevision(key: Uint8Array): number {
  const revision = Buffer.from(key.buffer, key.byteOffset, 12).readUIntBE(6, 6);
  return revision === TOMBSTONE_KEY_REVISION ? Infinity : revision;
}
