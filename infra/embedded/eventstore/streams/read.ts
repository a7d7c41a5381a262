/** Streams/Read: counted reads and subscriptions, of one stream or of $all. */
import { esError, GrpcError, Status } from '../wire/grpc-error';
import { eventFrames, streamNotFoundFrame } from '../wire/read-response';
import { type Call, type Method } from '../wire/server';
import { type LogRecord } from '../storage/store';
import { compileFilter, visibleInAll } from './filter';
import { decodeRead, type ReadRequest } from './messages';
import { type Page, type Reader, type ResolvedEvent } from './reader';
import { subscribe } from './subscription';
import { type CommitFeed } from './commit-feed';

/** Streams that EventStoreDB fills by system projections, which this engine does not run. */
const PROJECTED = /^\$(ce|et|bc|category)-/;

export function readMethod(reader: Reader, feed: CommitFeed): Method {
  return {
    request: async (message, call) => {
      const request = decodeRead(message);
      if (request.source !== 'all') refuseProjected(request.source.stream, reader);
      if (request.mode === 'subscription') await subscribe(request, call, reader, feed);
      else await readCounted(request, request.mode.count, call, reader);
      call.end();
    },
  };
}

/** Links are followed when the read asks for it. */
export function resolver(
  request: Pick<ReadRequest, 'resolveLinks'>,
  reader: Reader,
): (record: LogRecord) => ResolvedEvent {
  return request.resolveLinks ? (record) => reader.resolve(record) : ({ position, raw }) => ({ position, event: raw });
}

/** @throws GrpcError UNIMPLEMENTED for a stream that only a system projection would fill */
export function refuseProjected(stream: string, reader: Reader): void {
  if (!PROJECTED.test(stream) || reader.head(stream).streamNo > 0) return;
  throw new GrpcError(
    Status.UNIMPLEMENTED,
    `The embedded EventStoreDB runs no system projections, so ${stream} is never filled: read $all with a filter instead`,
  );
}

async function readCounted(request: ReadRequest, count: number, call: Call, reader: Reader): Promise<void> {
  const { source, backwards } = request;
  if (source !== 'all') {
    if (reader.head(source.stream).tombstoned) throw esError.streamDeleted(source.stream);
    if (!reader.exists(source.stream)) {
      call.send(streamNotFoundFrame(source.stream));
      return;
    }
  }
  const shape = resolver(request, reader);
  const accept = acceptance(request);
  let next = startOf(request, reader);
  for (let left = count; left > 0;) {
    const page: Page<LogRecord> =
      source === 'all'
        ? reader.allPage(next, accept ? Infinity : left, backwards)
        : reader.streamPage(source.stream, next, left, backwards);
    const events = accept ? page.events.filter(accept).slice(0, left) : page.events;
    left -= events.length;
    next = page.next;
    if (events.length > 0 && !call.send(eventFrames(events.map(shape), request.structuredIds))) await call.drained();
    if (page.end) return;
    // Long reads give way to other calls between pages.
    if (left > 0) await new Promise(setImmediate);
  }
}

/** Which records of $all the read wants; undefined when it takes a stream as it is. */
function acceptance({ source, filter }: ReadRequest): ((record: LogRecord) => boolean) | undefined {
  if (source !== 'all') return undefined;
  if (!filter) return visibleInAll;
  const compiled = compileFilter(filter);
  return (record) => visibleInAll(record) && compiled.matches(record);
}

/** First revision or position of a read; the end of $all is the position after its last event. */
function startOf({ source, from, backwards }: ReadRequest, reader: Reader): number {
  if (typeof from === 'number') return from;
  if (from === 'start') return 0;
  if (source === 'all') return reader.lastPosition() + 1;
  return reader.head(source.stream).last + (backwards ? 0 : 1);
}
