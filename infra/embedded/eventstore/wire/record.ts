/**
 * A recorded event, stored exactly as `ReadResp.ReadEvent.RecordedEvent` of streams.proto goes over the wire, so that a read
 * is a copy. This is the storage format: field order and the 36 character id at offset 4 are relied on below.
 */
import { MessageReader, MessageWriter } from './protobuf';

/** `$maxCount` and friends never reach this: the revision that EventStoreDB gives the tombstone of a stream, int64 max. */
export const TOMBSTONE_REVISION = 2n ** 63n - 1n;

export interface EventToRecord {
  /** Lower-case UUID text, 36 characters. */
  id: string;
  type: string;
  contentType: string;
  customMetadata: Buffer;
  data: Buffer;
}

export interface RecordPlace {
  /** UTF-8 stream name. */
  stream: Buffer;
  revision: number | bigint;
  position: number;
  /** .NET ticks (100 ns) since the Unix epoch, as decimal text. */
  created: string;
}

/** Encodes an event for the log. */
export function encodeRecord(event: EventToRecord, place: RecordPlace): Buffer {
  const size = 220 + place.stream.length + event.type.length * 3 + event.customMetadata.length + event.data.length;
  const writer = new MessageWriter(0, size)
    .message(1, (id) => id.string(2, event.id))
    .message(2, (identifier) => identifier.bytes(3, place.stream));
  if (typeof place.revision === 'bigint') writer.int64(3, place.revision);
  else writer.uint(3, place.revision);
  writer
    .uint(4, place.position)
    .uint(5, place.position)
    .message(6, (entry) => entry.string(1, 'type').string(2, event.type))
    .message(6, (entry) => entry.string(1, 'content-type').string(2, event.contentType))
    .message(6, (entry) => entry.string(1, 'created').string(2, place.created));
  if (event.customMetadata.length > 0) writer.bytes(7, event.customMetadata);
  return writer.bytes(8, event.data).finish();
}

/** What the engine itself needs to know about a stored event. */
export interface RecordView {
  raw: Buffer;
  stream: string;
  /** Infinity for the tombstone. */
  revision: number;
  position: number;
  type: string;
}

const safeRevision = (revision: number): number => (Number.isSafeInteger(revision) ? revision : Infinity);

/** Reads names and numbers of a stored record without touching its payload. */
export function viewRecord(raw: Buffer): RecordView {
  const view = { raw, stream: '', revision: 0, position: 0, type: '' };
  const reader = new MessageReader(raw);
  while (reader.next()) {
    if (reader.field === 2) {
      const identifier = reader.message();
      if (identifier.next()) view.stream = identifier.string();
    } else if (reader.field === 3) view.revision = safeRevision(reader.uint());
    else if (reader.field === 4) view.position = reader.uint();
    else if (reader.field === 6) {
      // The type is the first entry of the map, see encodeRecord.
      const entry = reader.message();
      entry.next();
      entry.next();
      view.type = entry.string();
      break;
    }
  }
  return view;
}

export function recordId(raw: Buffer): string {
  return raw.toString('latin1', 4, 40);
}

/** Position of a stored record, in log bytes. */
export function recordPosition(raw: Buffer): number {
  const reader = new MessageReader(raw, 40);
  while (reader.next()) if (reader.field === 4) return reader.uint();
  return 0;
}

/** Time of recording, in milliseconds since the Unix epoch. */
export function recordCreated(raw: Buffer): number {
  const reader = new MessageReader(raw, 40);
  while (reader.next()) {
    if (reader.field !== 6) continue;
    const entry = reader.message();
    entry.next();
    if (entry.string() !== 'created') continue;
    entry.next();
    return Number(entry.string()) / 10_000;
  }
  return 0;
}

export function recordData(raw: Buffer): Buffer {
  const reader = new MessageReader(raw, 40);
  while (reader.next()) if (reader.field === 8) return reader.bytes();
  return Buffer.alloc(0);
}

/** The same record with its id as two 64-bit halves, which is what `uuid_option.structured` asks for. */
export function withStructuredId(raw: Buffer): Buffer {
  const hex = recordId(raw).replaceAll('-', '');
  const head = new MessageWriter(0, 32).message(1, (id) =>
    id.message(1, (halves) => halves.int64(1, BigInt(`0x${hex.slice(0, 16)}`)).int64(2, BigInt(`0x${hex.slice(16)}`))),
  );
  return Buffer.concat([head.finish(), raw.subarray(40)]);
}
