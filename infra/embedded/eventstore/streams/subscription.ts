/**
 * Catch-up subscriptions. History and live events come out of the same log by the same cursor: a commit only wakes the
 * subscriber, which then reads on from where it stands. So there is no seam at which an event could be lost or doubled, and
 * a slow subscriber holds no more than one page in memory while it catches up again.
 */
import { randomUUID } from 'node:crypto';
import { isSoftDeleted } from '../storage/head';
import { type LogRecord } from '../storage/store';
import { esError } from '../wire/grpc-error';
import { caughtUpFrame, checkpointFrame, confirmationFrame, eventFrames } from '../wire/read-response';
import { type Call } from '../wire/server';
import { type CommitFeed } from './commit-feed';
import { compileFilter, type Filter, visibleInAll } from './filter';
import { type ReadRequest } from './messages';
import { resolver } from './read';
import { type Page, type Reader, type ResolvedEvent } from './reader';

/** Runs until the client leaves or the stream is tombstoned. */
export async function subscribe(request: ReadRequest, call: Call, reader: Reader, feed: CommitFeed): Promise<void> {
  const { source } = request;
  if (source !== 'all' && reader.head(source.stream).tombstoned) throw esError.streamDeleted(source.stream);
  if (request.backwards) throw esError.invalidArgument('A subscription goes forwards');
  const cursor = source === 'all' ? new AllCursor(request, reader) : new StreamCursor(source.stream, request, reader);
  const commits = new Wakeups(source, call, feed);
  call.send(confirmationFrame(randomUUID()));

  let live = false;
  while (!call.closed) {
    const { events, end } = cursor.read(live);
    if (events.length > 0 && !call.send(Buffer.concat(events))) {
      live = false; // The client is slower than the writers: from here on it is catching up.
      await call.drained();
    }
    if (!end) {
      live = false;
      await new Promise(setImmediate);
      continue;
    }
    if (!live) {
      live = true;
      const checkpoint = cursor.checkpoint();
      if (checkpoint) call.send(checkpoint);
      call.send(caughtUpFrame());
    }
    cursor.assertReadable();
    await commits.next();
  }
}

/** Remembers a commit that happens while the subscriber is busy. */
class Wakeups {
  private woken = false;
  private resume: (() => void) | undefined;

  constructor(source: ReadRequest['source'], call: Call, feed: CommitFeed) {
    const wake = (): void => {
      this.woken = true;
      this.resume?.();
    };
    const stop = feed.watch(source, wake);
    call.onClose(() => {
      stop();
      wake();
    });
  }

  async next(): Promise<void> {
    if (!this.woken) await new Promise<void>((resolve) => (this.resume = resolve));
    this.woken = false;
  }
}

/** A place in the log: `read` gives the frames from there to the end of a page and moves on. */
interface Cursor {
  read(live: boolean): { events: Buffer[]; end: boolean };
  /** The checkpoint that is due when the end is reached, if any. */
  checkpoint(): Buffer | undefined;
  /** @throws GrpcError once nothing can follow any more */
  assertReadable(): void;
}

class StreamCursor implements Cursor {
  private next: number;
  private readonly shape: (record: LogRecord) => ResolvedEvent;

  constructor(
    private readonly stream: string,
    private readonly request: ReadRequest,
    private readonly reader: Reader,
  ) {
    const { from } = request;
    if (from === 'end') this.next = reader.head(stream).last + 1;
    else this.next = from === 'start' ? 0 : from + 1; // The starting point of a subscription is exclusive.
    this.shape = resolver(request, reader);
  }

  read(live: boolean): { events: Buffer[]; end: boolean } {
    // Live events reach a subscriber whatever the metadata says; only history is truncated.
    const whole = live && !isSoftDeleted(this.reader.head(this.stream));
    const page: Page<LogRecord> = this.reader.streamPage(this.stream, this.next, Infinity, false, whole);
    this.next = Math.max(this.next, page.next);
    return {
      events: page.events.length > 0 ? [eventFrames(page.events.map(this.shape), this.request.structuredIds)] : [],
      end: page.end,
    };
  }

  checkpoint(): undefined {
    return undefined;
  }

  assertReadable(): void {
    if (this.reader.head(this.stream).tombstoned) throw esError.streamDeleted(this.stream);
  }
}

class AllCursor implements Cursor {
  private next: number;
  private readonly filter: Filter | undefined;
  private readonly shape: (record: LogRecord) => ResolvedEvent;
  /** Events looked at since the last checkpoint. */
  private considered = 0;
  private lastSeen = 0;
  private lastCheckpoint = 0;

  constructor(
    private readonly request: ReadRequest,
    private readonly reader: Reader,
  ) {
    const { from, filter } = request;
    if (from === 'end') this.lastSeen = reader.lastPosition();
    else this.lastSeen = from === 'start' ? 0 : from;
    this.next = from === 'start' ? 0 : this.lastSeen + 1;
    this.lastCheckpoint = typeof from === 'number' ? from : 0;
    this.filter = filter && compileFilter(filter);
    this.shape = resolver(request, reader);
  }

  read(): { events: Buffer[]; end: boolean } {
    const page = this.reader.allPage(this.next, Infinity);
    this.next = page.next;
    const frames: Buffer[] = [];
    let wanted: ResolvedEvent[] = [];
    const flush = (): void => {
      if (wanted.length > 0) frames.push(eventFrames(wanted, this.request.structuredIds));
      wanted = [];
    };
    for (const record of page.events) {
      this.lastSeen = record.position;
      if (!visibleInAll(record)) continue;
      if (!this.filter || this.filter.matches(record)) wanted.push(this.shape(record));
      if (this.filter && ++this.considered >= this.filter.checkpointInterval) {
        flush();
        const checkpoint = this.checkpoint();
        if (checkpoint) frames.push(checkpoint);
      }
    }
    flush();
    return { events: frames, end: page.end };
  }

  checkpoint(): Buffer | undefined {
    if (!this.filter || this.lastSeen <= this.lastCheckpoint) return undefined;
    this.considered = 0;
    this.lastCheckpoint = this.lastSeen;
    return checkpointFrame(this.lastSeen);
  }

  assertReadable(): void {
    // $all has no end.
  }
}
