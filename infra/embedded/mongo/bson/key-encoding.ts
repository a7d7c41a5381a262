import { createHash } from 'node:crypto';
import { type Binary, type BSONRegExp, Decimal128, Double, type ObjectId, type Timestamp } from 'bson';
import { asMap, Rank, rankOf, textOf, timestampBits } from './compare';
import { compareExact, exactDecimal, toDouble } from './numbers';
import { type Numeric, Opaque, type Value } from './values';

/**
 * Order-preserving keys. STORAGE FORMAT: comparing two encoded values byte by byte gives what `compareValues` gives, and no
 * encoding is the prefix of another. The first byte is the type's rank, so a range over one type is a range of keys.
 */

/** The longest encoded part of a key; with the prefix and the record id it stays under LMDB's 1,978 bytes. */
const MAX_ENCODED = 1_900;
const HASH_BYTES = 32;

const chunk = Buffer.allocUnsafe(8);

class KeyWriter {
  private buffer = Buffer.allocUnsafe(512);
  private at = 0;

  take(): Buffer {
    const bytes = Buffer.from(this.buffer.subarray(0, this.at));
    this.at = 0;
    return bytes;
  }

  byte(value: number): void {
    if (this.at === this.buffer.length) this.grow(1);
    this.buffer[this.at++] = value;
  }

  bytes(value: Uint8Array): void {
    if (this.at + value.length > this.buffer.length) this.grow(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  /** Text ends with two zero bytes; a zero inside is followed by 0xff, so that the end sorts first. */
  text(value: string): void {
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code === 0 || code > 127) {
        this.escaped(Buffer.from(value.slice(index), 'utf8'));
        break;
      }
      this.byte(code);
    }
    this.byte(0);
    this.byte(0);
  }

  private escaped(utf8: Buffer): void {
    for (const value of utf8) {
      this.byte(value);
      if (value === 0) this.byte(0xff);
    }
  }

  private grow(size: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + size));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

const writer = new KeyWriter();

/** The encoded key of one value; missing is encoded as null. */
export function encodeKey(value: Value | undefined): Buffer {
  writeKey(value);
  return writer.take();
}

function writeKey(value: Value | undefined): void {
  const rank = rankOf(value);
  writer.byte(rank);
  switch (rank) {
    case Rank.number:
      return writeNumber(value as Numeric);
    case Rank.string:
      return writer.text(textOf(value!));
    case Rank.object:
      for (const [name, field] of asMap(value!)) {
        writer.byte(rankOf(field));
        writer.text(name);
        writeKey(field);
      }
      return writer.byte(0);
    case Rank.array:
      for (const item of value as Value[]) writeKey(item);
      return writer.byte(0);
    case Rank.binData: {
      const binary = value as Binary;
      chunk.writeUInt32BE(binary.position, 0);
      writer.bytes(chunk.subarray(0, 4));
      writer.byte(binary.sub_type);
      return writer.bytes(binary.buffer.subarray(0, binary.position));
    }
    case Rank.objectId:
      return writer.bytes((value as ObjectId).id);
    case Rank.bool:
      return writer.byte(value ? 1 : 0);
    case Rank.date:
      // Flipping the sign bit makes a signed integer sort as an unsigned one.
      chunk.writeBigUInt64BE(BigInt.asUintN(64, BigInt((value as Date).getTime() || 0)) ^ (1n << 63n));
      return writer.bytes(chunk);
    case Rank.timestamp:
      chunk.writeBigUInt64BE(timestampBits(value as Timestamp));
      return writer.bytes(chunk);
    case Rank.regex:
      writer.text((value as BSONRegExp).pattern);
      return writer.text((value as BSONRegExp).options);
    default:
      if (value instanceof Opaque && value.bytes.length > 0) writer.text(value.bytes.toString('latin1'));
  }
}

/**
 * The nearest double in sortable form, then 0x80 when the number is exactly that double. Numbers that share their nearest
 * double and are not equal to it follow with 0x7f (below) or 0x81 (above) and their decimal digits.
 */
function writeNumber(value: Numeric): void {
  const nearest = toDouble(value);
  writeDouble(nearest);
  if (typeof value === 'number' || value instanceof Double || Number.isNaN(nearest)) return writer.byte(0x80);
  if (value instanceof Decimal128 && /inf/i.test(value.toString())) return writer.byte(0x80);
  const exact = exactDecimal(value);
  const side = Number.isFinite(nearest) ? compareExact(exact, exactDecimal(nearest)) : nearest > 0 ? -1 : 1;
  writer.byte(0x80 + side);
  if (side !== 0) writeDigits(exact.coefficient, exact.exponent);
}

function writeDouble(value: number): void {
  if (Number.isNaN(value)) {
    chunk.fill(0);
  } else {
    chunk.writeDoubleBE(value === 0 ? 0 : value);
    if (chunk[0]! & 0x80) for (let at = 0; at < 8; at++) chunk[at]! ^= 0xff;
    else chunk[0]! ^= 0x80;
  }
  writer.bytes(chunk);
}

function writeDigits(coefficient: bigint, exponent: number): void {
  const negative = coefficient < 0n;
  const all = (negative ? -coefficient : coefficient).toString();
  const digits = all.replace(/0+$/, '');
  const bytes = Buffer.alloc(digits.length + 3);
  bytes.writeUInt16BE(all.length + exponent + 0x8000, 0);
  bytes.write(digits, 2, 'latin1');
  if (negative) for (let at = 0; at < bytes.length; at++) bytes[at]! ^= 0xff;
  writer.bytes(bytes);
}

/** Turns an ascending key part into a descending one, in place. */
export function invert(bytes: Buffer): Buffer {
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= 0xff;
  return bytes;
}

/**
 * A key that fits LMDB: a longer one keeps its beginning and a hash of the whole, so equality stays exact and order holds
 * only as far as the beginning goes.
 */
export function fitKey(encoded: Buffer): { key: Buffer; truncated: boolean } {
  if (encoded.length <= MAX_ENCODED) return { key: encoded, truncated: false };
  const hash = createHash('sha256').update(encoded).digest();
  return { key: Buffer.concat([encoded.subarray(0, MAX_ENCODED - HASH_BYTES), hash]), truncated: true };
}

/** A range bound that fits LMDB, widened to the part of the keys that is kept whole. */
export function fitBound(bound: Buffer, upper: boolean): { bound: Buffer; widened: boolean } {
  const kept = MAX_ENCODED - HASH_BYTES;
  if (bound.length <= kept) return { bound, widened: false };
  const cut = bound.subarray(0, kept);
  return { bound: upper ? Buffer.concat([cut, Buffer.from([0xff])]) : cut, widened: true };
}
