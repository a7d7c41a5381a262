/** Frames of `streams.ReadResp` and `persistent_subscriptions.ReadResp`: the same shapes, one byte apart. */
import { type ResolvedEvent } from '../streams/reader';
import { FRAME_HEADER, frame } from './frame';
import { varintLength, writeVarint } from './protobuf';
import { withStructuredId } from './record';

/**
 * Encodes events as one buffer of frames, ready for a single write. Records are copied as they are stored.
 * @param retryCounts given for persistent subscriptions, one per event
 */
export function eventFrames(events: readonly ResolvedEvent[], structuredIds: boolean, retryCounts?: number[]): Buffer {
  const shaped = structuredIds ? events.map(structured) : events;
  const inner = shaped.map(({ event, link, position }, i) => {
    const retries = retryCounts?.[i];
    return (
      fieldLength(event) +
      fieldLength(link) +
      1 +
      varintLength(position) +
      (retries === undefined ? 0 : 1 + varintLength(retries))
    );
  });
  const total = inner.reduce((sum, length) => sum + FRAME_HEADER + 1 + varintLength(length) + length, 0);
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  shaped.forEach(({ event, link, position }, i) => {
    const length = inner[i]!;
    out[at] = 0;
    at = out.writeUInt32BE(1 + varintLength(length) + length, at + 1);
    out[at++] = 0x0a; // content.event
    at = writeVarint(out, at, length);
    at = copyField(out, at, 0x0a, event);
    at = copyField(out, at, 0x12, link);
    out[at++] = 0x18; // commit_position
    at = writeVarint(out, at, position);
    const retries = retryCounts?.[i];
    if (retries !== undefined) {
      out[at++] = 0x28;
      at = writeVarint(out, at, retries);
    }
  });
  return out;
}

const fieldLength = (record: Buffer | undefined): number =>
  record ? 1 + varintLength(record.length) + record.length : 0;

function copyField(out: Buffer, at: number, tag: number, record: Buffer | undefined): number {
  if (!record) return at;
  out[at++] = tag;
  at = writeVarint(out, at, record.length);
  out.set(record, at);
  return at + record.length;
}

const structured = ({ position, event, link }: ResolvedEvent): ResolvedEvent => ({
  position,
  event: event && withStructuredId(event),
  link: link && withStructuredId(link),
});

export const confirmationFrame = (subscriptionId: string): Buffer =>
  frame((resp) => resp.message(2, (confirmation) => confirmation.string(1, subscriptionId)));

export const checkpointFrame = (position: number): Buffer =>
  frame((resp) => resp.message(3, (checkpoint) => checkpoint.uint(1, position).uint(2, position)));

export const streamNotFoundFrame = (stream: string): Buffer =>
  frame((resp) => resp.message(4, (notFound) => notFound.message(1, (id) => id.string(3, stream))));

export const caughtUpFrame = (): Buffer => frame((resp) => resp.empty(8));
