/** Requests and responses of `event_store.client.streams.Streams`, by the field numbers of streams.proto and shared.proto. */
import { ANY, NO_STREAM, STREAM_EXISTS } from '../storage/expected-revision';
import { esError } from '../wire/grpc-error';
import { frame } from '../wire/frame';
import { MessageReader, type MessageWriter } from '../wire/protobuf';
import { type EventToRecord } from '../wire/record';
import { type FilterOptions } from './filter';

/** `start` and `end`, or a revision or position. */
export type Point = 'start' | 'end' | number;

export interface ReadRequest {
  source: { stream: string } | 'all';
  from: Point;
  backwards: boolean;
  resolveLinks: boolean;
  /** How many events, or Infinity for a subscription. */
  mode: { count: number } | 'subscription';
  filter?: FilterOptions;
  structuredIds: boolean;
}

export interface StreamCommand {
  stream: string;
  expected: number;
}

/** @throws GrpcError INVALID_ARGUMENT when a required part is missing */
export function decodeRead(message: Buffer): ReadRequest {
  const request: Partial<ReadRequest> = { backwards: false, resolveLinks: false, structuredIds: false };
  const options = onlyMessage(message);
  while (options?.next()) {
    if (options.field === 1) {
      const { stream, from } = decodeStreamPoint(options.message());
      request.source = { stream };
      request.from = from;
    } else if (options.field === 2) {
      request.source = 'all';
      request.from = decodeAllPoint(options.message());
    } else if (options.field === 3) request.backwards = options.uint() === 1;
    else if (options.field === 4) request.resolveLinks = options.bool();
    else if (options.field === 5) request.mode = { count: options.uint() };
    else if (options.field === 6) request.mode = 'subscription';
    else if (options.field === 7) request.filter = decodeFilter(options.message());
    else if (options.field === 9) request.structuredIds = decodeStructured(options.message());
  }
  if (request.source === undefined || request.from === undefined || request.mode === undefined) {
    throw esError.invalidArgument('A read needs a source, a starting point and a count or a subscription');
  }
  return request as ReadRequest;
}

/** `uuid_option`: field 1 asks for two 64-bit halves, field 2 for text. */
export function decodeStructured(reader: MessageReader): boolean {
  let structured = false;
  while (reader.next()) structured = reader.field === 1;
  return structured;
}

/** A stream with `revision | start | end`. */
export function decodeStreamPoint(reader: MessageReader): { stream: string; from: Point } {
  let stream = '';
  let from: Point = 'start';
  while (reader.next()) {
    if (reader.field === 1) stream = decodeStreamName(reader.message());
    else if (reader.field === 2) from = reader.uint();
    else if (reader.field === 3) from = 'start';
    else if (reader.field === 4) from = 'end';
  }
  return { stream: requireName(stream), from };
}

function decodeAllPoint(reader: MessageReader): Point {
  let from: Point = 'start';
  while (reader.next()) {
    if (reader.field === 1) from = decodePosition(reader.message());
    else if (reader.field === 2) from = 'start';
    else if (reader.field === 3) from = 'end';
  }
  return from;
}

/** The commit position; the prepare position of a single-node log is always the same. */
export function decodePosition(reader: MessageReader): number {
  let commit = 0;
  while (reader.next()) if (reader.field === 1) commit = reader.uint();
  return commit;
}

/** `FilterOptions` of a read or of a persistent subscription to $all. The interval is in units of the search window. */
export function decodeFilter(reader: MessageReader): FilterOptions {
  const filter: FilterOptions = { on: 'type', regex: '', prefixes: [], checkpointInterval: 0 };
  let window = DEFAULT_SEARCH_WINDOW;
  let multiplier = 1;
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) {
      filter.on = reader.field === 1 ? 'stream' : 'type';
      const expression = reader.message();
      while (expression.next()) {
        if (expression.field === 1) filter.regex = expression.string();
        else if (expression.field === 2) filter.prefixes.push(expression.string());
      }
    } else if (reader.field === 3) window = Math.max(1, reader.uint());
    else if (reader.field === 5) multiplier = reader.uint();
  }
  if (multiplier === 0) throw esError.invalidArgument('The checkpoint interval must be greater than 0');
  filter.checkpointInterval = window * multiplier;
  return filter;
}

const DEFAULT_SEARCH_WINDOW = 32;

/** A `StreamIdentifier`. */
export function decodeStreamName(reader: MessageReader): string {
  let name = '';
  while (reader.next()) if (reader.field === 3) name = reader.string();
  return name;
}

export function requireName(stream: string): string {
  if (stream === '') throw esError.invalidArgument('The stream name is empty');
  return stream;
}

/**
 * Options of Append, BatchAppend, Delete and Tombstone: they share their field numbers.
 * @param onOther called for fields that only some of them have
 */
export function decodeStreamCommand(reader: MessageReader, onOther?: (field: number) => void): StreamCommand {
  let stream = '';
  let expected: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) stream = decodeStreamName(reader.message());
    else if (reader.field === 2) expected = reader.uint();
    else if (reader.field === 3) expected = NO_STREAM;
    else if (reader.field === 4) expected = ANY;
    else if (reader.field === 5) expected = STREAM_EXISTS;
    else onOther?.(reader.field);
  }
  if (expected === undefined) throw esError.invalidArgument('The expected revision is missing');
  if (stream === '$all') throw esError.accessDenied();
  return { stream: requireName(stream), expected };
}

/** A unary request whose options are field 1. */
export function decodeUnaryCommand(message: Buffer): StreamCommand {
  return decodeStreamCommand(onlyMessage(message) ?? new MessageReader(Buffer.alloc(0)));
}

/** The message in field 1, if the request has one. */
export function onlyMessage(message: Buffer): MessageReader | undefined {
  const reader = new MessageReader(message);
  let inner: MessageReader | undefined;
  while (reader.next()) if (reader.field === 1) inner = reader.message();
  return inner;
}

export interface ProposedEvent extends EventToRecord {
  /** As the server counts it against the append limit: payload and metadata bytes, and the type in UTF-16 (`Event.SizeOnDisk`). */
  size: number;
}

/** `ProposedMessage`. @throws GrpcError when id, type or content type is missing */
export function decodeProposed(reader: MessageReader): ProposedEvent {
  let id = '';
  let type = '';
  let contentType = '';
  let customMetadata: Buffer = NOTHING;
  let data: Buffer = NOTHING;
  while (reader.next()) {
    if (reader.field === 1) id = decodeUuid(reader.message());
    else if (reader.field === 2) {
      const entry = reader.message();
      let key = '';
      let value = '';
      while (entry.next()) {
        if (entry.field === 1) key = entry.string();
        else if (entry.field === 2) value = entry.string();
      }
      if (key === 'type') type = value;
      else if (key === 'content-type') contentType = value;
    } else if (reader.field === 3) customMetadata = reader.bytes();
    else if (reader.field === 4) data = reader.bytes();
  }
  if (!UUID.test(id) || id === EMPTY_UUID) throw esError.invalidArgument(`The event id '${id}' is not a UUID`);
  if (type === '') throw esError.requiredMetadataMissing('type');
  if (contentType === '') throw esError.requiredMetadataMissing('content-type');
  return { id, type, contentType, customMetadata, data, size: data.length + customMetadata.length + 2 * type.length };
}

const NOTHING = Buffer.alloc(0);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const EMPTY_UUID = '00000000-0000-0000-0000-000000000000';

/** A `UUID` message, in either form, as lower-case text. */
export function decodeUuid(reader: MessageReader): string {
  let text = '';
  while (reader.next()) {
    if (reader.field === 2) text = reader.string().toLowerCase();
    else if (reader.field === 1) {
      const halves = reader.message();
      let bits = 0n;
      while (halves.next()) bits |= halves.uint64() << (halves.field === 1 ? 64n : 0n);
      text = bits
        .toString(16)
        .padStart(32, '0')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
  }
  return text;
}

/** `AppendResp.Success` and the success of a batch: same fields. */
export function writeSuccess(writer: MessageWriter, revision: number, position: number | undefined): void {
  if (revision < 0) writer.empty(2);
  else writer.uint(1, revision);
  if (position === undefined) writer.empty(4);
  else writer.message(3, (at) => at.uint(1, position).uint(2, position));
}

/** `DeleteResp` and `TombstoneResp`. */
export const positionFrame = (position: number): Buffer =>
  frame((resp) => resp.message(1, (at) => at.uint(1, position).uint(2, position)));

/** `AppendResp`; a wrong expected version is an answer here, not an error. */
export const appendSuccessFrame = (revision: number, position: number | undefined): Buffer =>
  frame((resp) => resp.message(1, (success) => writeSuccess(success, revision, position)));

export const appendWrongVersionFrame = (current: number, expected: number): Buffer =>
  frame((resp) =>
    resp.message(2, (wrong) => {
      // Fields 1 to 5 repeat the rest for clients of 20.6.
      if (current < 0) wrong.empty(2);
      else wrong.uint(1, current);
      if (expected >= 0) wrong.uint(3, expected);
      else if (expected === ANY) wrong.empty(4);
      else if (expected === STREAM_EXISTS) wrong.empty(5);
      if (current < 0) wrong.empty(7);
      else wrong.uint(6, current);
      if (expected >= 0) wrong.uint(8, expected);
      else wrong.empty(expected === ANY ? 9 : expected === STREAM_EXISTS ? 10 : 11);
    }),
  );
