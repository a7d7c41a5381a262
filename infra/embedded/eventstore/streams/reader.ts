/** Pages of a stream or of $all as a reader may see them: truncation applied, links resolved. */
import { isSoftDeleted, type StreamHead, type StreamHeads } from '../storage/head';
import { type IndexEntry, type LogRecord, type Store } from '../storage/store';
import { recordCreated, recordData, viewRecord } from '../wire/record';
import { firstReadable } from './metadata';

/** One event of a read: a link and its target, or just the event. `event` is missing when the target cannot be read. */
export interface ResolvedEvent {
  position: number;
  event?: Buffer | undefined;
  link?: Buffer | undefined;
}

export interface Page<T> {
  events: T[];
  /** Where the next page starts: a revision, or a position. */
  next: number;
  /** Nothing more in this direction at the moment. */
  end: boolean;
}

/** Events and bytes of one page: big enough to write at once, small enough not to hold up other calls. */
const PAGE_EVENTS = 256;
const PAGE_BYTES = 256 * 1024;

const LINK_TYPE = '$>';

export class Reader {
  constructor(
    private readonly store: Store,
    private readonly heads: StreamHeads,
  ) {}

  head(stream: string): StreamHead {
    return this.heads.get(stream);
  }

  lastPosition(): number {
    return this.store.lastPosition();
  }

  /** Whether a stream has events that a reader can ask for. A soft-deleted stream reads as one that never was. */
  exists(stream: string): boolean {
    const head = this.heads.get(stream);
    return head.last >= 0 && !isSoftDeleted(head);
  }

  /** The first revision that metadata leaves readable now. */
  firstReadable(head: StreamHead): number {
    const first = firstReadable(head.metadata, head.last);
    const { maxAge } = head.metadata;
    return maxAge === undefined ? first : this.firstSince(head, first, Date.now() - maxAge);
  }

  /**
   * Events of a stream from a revision on.
   * @param whole leave truncation out: what a live subscriber gets was not truncated when it was written
   */
  streamPage(stream: string, from: number, limit: number, backwards = false, whole = false): Page<LogRecord> {
    const head = this.heads.get(stream);
    const first = whole ? 0 : this.firstReadable(head);
    const start = backwards ? from : Math.max(from, first);
    const wanted = Math.min(limit, PAGE_EVENTS);
    if (!head.streamNo || start < first) return { events: [], next: start, end: true };

    const events: LogRecord[] = [];
    let bytes = 0;
    let next = start;
    const entries = this.store.entries(head.streamNo, start, wanted, backwards);
    let end = entries.length < wanted;
    for (const entry of entries) {
      if (entry.revision < first) {
        end = true;
        break;
      }
      if (bytes >= PAGE_BYTES) {
        end = false;
        break;
      }
      const raw = this.mustRead(entry);
      events.push({ position: entry.position, raw });
      bytes += raw.length;
      next = backwards ? entry.revision - 1 : entry.revision + 1;
    }
    return { events, next, end: end || next < 0 };
  }

  /** Events of the log from a position on: inclusive forwards, exclusive backwards. */
  allPage(from: number, limit: number, backwards = false): Page<LogRecord> {
    const wanted = Math.min(limit, PAGE_EVENTS);
    const events = this.store.page(from, wanted, PAGE_BYTES, backwards);
    const last = events.at(-1);
    if (!last) return { events, next: from, end: true };
    const bytes = events.reduce((sum, { raw }) => sum + raw.length, 0);
    const end = events.length < wanted && bytes < PAGE_BYTES;
    return { events, next: backwards ? last.position : last.position + 1, end };
  }

  /** Follows a link record to its target. Records that are no links stay as they are. */
  resolve(record: LogRecord): ResolvedEvent {
    const { position, raw } = record;
    if (viewRecord(raw).type !== LINK_TYPE) return { position, event: raw };
    const [, revision, stream] = /^(\d+)@(.+)$/s.exec(recordData(raw).toString()) ?? [];
    return { position, link: raw, event: stream === undefined ? undefined : this.event(stream, Number(revision)) };
  }

  /** One event of a stream, unless it is truncated or deleted. */
  event(stream: string, revision: number): Buffer | undefined {
    const head = this.heads.get(stream);
    if (head.tombstoned || revision > head.last || revision < this.firstReadable(head)) return undefined;
    const [entry] = this.store.entries(head.streamNo, revision, 1);
    return entry?.revision === revision ? this.mustRead(entry) : undefined;
  }

  /** Binary search: events of a stream are in order of time. */
  private firstSince(head: StreamHead, first: number, time: number): number {
    let low = first;
    let high = head.last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [entry] = this.store.entries(head.streamNo, middle, 1);
      if (entry && recordCreated(this.mustRead(entry)) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private mustRead({ position }: IndexEntry): Buffer {
    const raw = this.store.record(position);
    if (!raw)
      throw new Error(`The index points at position ${position}, where no record stands: the data folder is damaged.`);
    return raw;
  }
}
