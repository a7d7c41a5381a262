/**
 * ClickHouse's own compressed blocks (`CompressedWriteBuffer`), which drivers such as those of JDBC ask for with `compress=1` and
 * send with `decompress=1`: a checksum, then a method, the two lengths and the data, little-endian.
 */
import { Transform, type TransformCallback } from 'node:stream';
import { ClickHouseException } from '../errors';
import { cityHash128 } from './city-hash';
import { expandLz4, Lz4Error, storeLz4 } from './lz4';

const CHECKSUM = 16;
/** Method, compressed length (with this header), length. */
const HEADER = 9;
const LZ4 = 0x82;
const NONE = 0x02;
/** Bytes of one block that is written. */
const BLOCK = 64 * 1024;
/** The longest block that is taken: ClickHouse's `max_compress_block_size` and room for whoever sends larger ones. */
const MAX_BLOCK = 64 * 1024 * 1024;

/** Puts bytes into blocks. */
export class BlockWriter extends Transform {
  private kept: Buffer[] = [];
  private keptBytes = 0;

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.kept.push(piece);
    this.keptBytes += piece.length;
    if (this.keptBytes >= BLOCK) {
      const all = this.collect();
      const whole = all.length - (all.length % BLOCK);
      for (let at = 0; at < whole; at += BLOCK) this.push(encodeBlock(all.subarray(at, at + BLOCK)));
      if (whole < all.length) this.kept = [all.subarray(whole)];
      this.keptBytes = all.length - whole;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.keptBytes > 0) this.push(encodeBlock(this.collect()));
    done();
  }

  private collect(): Buffer {
    const all = Buffer.concat(this.kept);
    this.kept = [];
    return all;
  }
}

/** Takes bytes out of blocks; fails with a ClickHouseException for what is none. */
export class BlockReader extends Transform {
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** Bytes from which on there is something to look at. */
  private wanted = CHECKSUM + HEADER;

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.kept.push(piece);
    this.keptBytes += piece.length;
    if (this.keptBytes < this.wanted) return done();
    let rest = Buffer.concat(this.kept);
    try {
      while (rest.length >= (this.wanted = blockLength(rest))) {
        this.push(decodeBlock(rest.subarray(0, this.wanted)));
        rest = rest.subarray(this.wanted);
      }
      this.kept = [rest];
      this.keptBytes = rest.length;
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.keptBytes === 0) return done();
    done(ClickHouseException.of('CANNOT_DECOMPRESS', 'The last compressed block ends too early'));
  }
}

/** Length of the block at the beginning; of a header as long as that is not whole. */
function blockLength(bytes: Buffer): number {
  if (bytes.length < CHECKSUM + HEADER) return CHECKSUM + HEADER;
  const compressed = bytes.readUInt32LE(CHECKSUM + 1);
  if (compressed >= HEADER && compressed <= MAX_BLOCK && bytes.readUInt32LE(CHECKSUM + 5) <= MAX_BLOCK) {
    return CHECKSUM + compressed;
  }
  throw ClickHouseException.of('CANNOT_DECOMPRESS', 'The lengths of a compressed block make no sense');
}

function encodeBlock(bytes: Buffer): Buffer {
  const data = storeLz4(bytes);
  const block = Buffer.allocUnsafe(HEADER + data.length);
  block.writeUInt8(LZ4, 0);
  block.writeUInt32LE(block.length, 1);
  block.writeUInt32LE(bytes.length, 5);
  data.copy(block, HEADER);
  return Buffer.concat([cityHash128(block), block]);
}

function decodeBlock(block: Buffer): Buffer {
  const content = block.subarray(CHECKSUM);
  if (!cityHash128(content).equals(block.subarray(0, CHECKSUM))) {
    throw ClickHouseException.of('CHECKSUM_DOESNT_MATCH', "Checksum doesn't match: a compressed block is damaged");
  }
  const method = content[0]!;
  const length = content.readUInt32LE(5);
  const data = content.subarray(HEADER);
  if (method === NONE) return data;
  if (method !== LZ4) {
    const message = `Unknown compression method 0x${method.toString(16)} of a block; the embedded engine reads LZ4 and none`;
    throw ClickHouseException.of('UNKNOWN_COMPRESSION_METHOD', message);
  }
  try {
    return expandLz4(data, length);
  } catch (error) {
    if (error instanceof Lz4Error)
      throw ClickHouseException.of('CANNOT_DECOMPRESS', `Cannot decompress: ${error.message}`);
    throw error;
  }
}
