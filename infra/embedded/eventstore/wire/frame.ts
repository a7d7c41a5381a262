/** gRPC length-prefixed messages (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
import { GrpcError, Status } from './grpc-error';
import { MessageWriter } from './protobuf';

/** One byte of flags, four bytes of length. */
export const FRAME_HEADER = 5;

/** Largest message taken, in bytes: the real server's limit (`TFConsts.EffectiveMaxLogRecordSize`). */
export const MAX_MESSAGE = 16 * 1024 * 1024;

/** Encodes one message with its header in front. */
export function frame(build: (message: MessageWriter) => unknown): Buffer {
  const writer = new MessageWriter(FRAME_HEADER);
  build(writer);
  const out = writer.finish();
  out[0] = 0;
  out.writeUInt32BE(out.length - FRAME_HEADER, 1);
  return out;
}

/** Cuts a byte stream into messages. Keeps at most one incomplete message. */
export class FrameParser {
  private chunks: Buffer[] = [];
  private size = 0;

  /** Bytes of an incomplete message. */
  get pending(): number {
    return this.size;
  }

  /** @throws GrpcError for a compressed or an oversized message */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < this.needed()) return;
    let buffer = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.size);
    for (;;) {
      const length = messageLength(buffer);
      if (length === undefined || buffer.length < FRAME_HEADER + length) break;
      onMessage(buffer.subarray(FRAME_HEADER, FRAME_HEADER + length));
      buffer = buffer.subarray(FRAME_HEADER + length);
    }
    this.chunks = buffer.length > 0 ? [buffer] : [];
    this.size = buffer.length;
  }

  /** Bytes that must be there before it is worth joining the chunks. */
  private needed(): number {
    const first = this.chunks[0]!;
    if (first.length < FRAME_HEADER) return 0;
    return FRAME_HEADER + (messageLength(first) ?? 0);
  }
}

function messageLength(buffer: Buffer): number | undefined {
  if (buffer.length < FRAME_HEADER) return undefined;
  if (buffer[0] !== 0) throw new GrpcError(Status.UNIMPLEMENTED, 'Compressed messages are not supported');
  const length = buffer.readUInt32BE(1);
  if (length > MAX_MESSAGE) {
    throw new GrpcError(Status.RESOURCE_EXHAUSTED, `Received message of ${length} bytes, larger than ${MAX_MESSAGE}`);
  }
  return length;
}
