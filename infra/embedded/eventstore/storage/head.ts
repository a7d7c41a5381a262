/** What the engine knows of one stream without reading it: where it ends and what its metadata says. */
import { parseMetadata, type StreamMetadata, SYSTEM_METADATA } from '../streams/metadata';
import { recordData } from '../wire/record';
import { type Store } from './store';

export interface StreamHead {
  /** Number of the stream in the index; 0 while it has never held an event. */
  streamNo: number;
  /** Last revision before any tombstone, -1 when there is none. */
  last: number;
  tombstoned: boolean;
  metadata: StreamMetadata;
}

export const isMetastream = (name: string): boolean => name.startsWith('$$');
export const metastreamOf = (name: string): string => `$$${name}`;
export const originalOf = (metastream: string): string => metastream.slice(2);

/** Soft-deleted means truncated at the revision that no event can reach. */
export const isSoftDeleted = (head: StreamHead): boolean => head.metadata.truncateBefore === Infinity;

/** Heads kept in memory, per generation. */
const GENERATION = 16_384;

/** Heads as readers see them: loaded when asked for, at most two generations of them in memory. */
export class StreamHeads {
  private young = new Map<string, StreamHead>();
  private old = new Map<string, StreamHead>();

  constructor(private readonly store: Store) {}

  get(name: string): StreamHead {
    let head = this.young.get(name);
    if (head) return head;
    head = this.old.get(name) ?? this.load(name);
    this.set(name, head);
    return head;
  }

  set(name: string, head: StreamHead): void {
    if (this.young.size >= GENERATION) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(name, head);
  }

  private load(name: string): StreamHead {
    const streamNo = this.store.streamNo(name) ?? 0;
    const metadata = isMetastream(name) ? SYSTEM_METADATA : this.loadMetadata(name);
    const [end, beforeEnd] = streamNo ? this.store.entries(streamNo, Infinity, 2, true) : [];
    const tombstoned = end?.revision === Infinity;
    const last = tombstoned ? beforeEnd : end;
    return { streamNo, last: last?.revision ?? -1, tombstoned, metadata };
  }

  private loadMetadata(name: string): StreamMetadata {
    const streamNo = this.store.streamNo(metastreamOf(name));
    const last = streamNo ? this.store.lastEntry(streamNo) : undefined;
    const record = last && this.store.record(last.position);
    return parseMetadata(record && recordData(record));
  }
}
