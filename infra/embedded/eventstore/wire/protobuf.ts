/**
 * Protocol buffers, wire format only (https://protobuf.dev/programming-guides/encoding/).
 * Written by hand because generated google-protobuf messages cost three times the CPU of the whole store on reads.
 */

/** The peer sent bytes that are not a message of the expected shape. */
export class MalformedMessageError extends Error {
  override name = 'MalformedMessageError';
}

const TWO_32 = 2 ** 32;

/** Walks the fields of one message: `while (r.next()) switch (r.field) { ... }`. Fields that nobody reads are skipped. */
export class MessageReader {
  field = 0;
  private wire = 0;
  private low = 0;
  private high = 0;
  private start = 0;
  private pos: number;

  constructor(
    private readonly buffer: Buffer,
    from = 0,
    private readonly end = buffer.length,
  ) {
    this.pos = from;
  }

  /** Moves to the next field. @throws MalformedMessageError */
  next(): boolean {
    if (this.pos >= this.end) return false;
    this.readVarint();
    if (this.high !== 0) throw new MalformedMessageError('field number out of range');
    this.field = this.low >>> 3;
    this.wire = this.low & 7;
    if (this.field === 0) throw new MalformedMessageError('field number 0');
    if (this.wire === 0) this.readVarint();
    else if (this.wire === 2) {
      this.readVarint();
      this.start = this.pos;
      this.skip(this.high === 0 ? this.low : Infinity);
    } else if (this.wire === 1) this.skip(8);
    else if (this.wire === 5) this.skip(4);
    else throw new MalformedMessageError(`wire type ${this.wire} is not supported`);
    return true;
  }

  /** An unsigned integer. Above 2^53 it loses low digits, which no revision or position of this engine reaches. */
  uint(): number {
    this.expect(0);
    return this.high * TWO_32 + this.low;
  }

  /** A two's complement int32 or int64. */
  int(): number {
    this.expect(0);
    return (this.high | 0) * TWO_32 + this.low;
  }

  /** All 64 bits, unsigned. */
  uint64(): bigint {
    this.expect(0);
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  bool(): boolean {
    this.expect(0);
    return this.low !== 0 || this.high !== 0;
  }

  /** A view into the received message, not a copy. */
  bytes(): Buffer {
    this.expect(2);
    return this.buffer.subarray(this.start, this.pos);
  }

  string(): string {
    this.expect(2);
    return this.buffer.toString('utf8', this.start, this.pos);
  }

  message(): MessageReader {
    this.expect(2);
    return new MessageReader(this.buffer, this.start, this.pos);
  }

  private expect(wire: number): void {
    if (this.wire !== wire) throw new MalformedMessageError(`field ${this.field} has wire type ${this.wire}`);
  }

  private skip(length: number): void {
    this.pos += length;
    if (this.pos > this.end) throw new MalformedMessageError('message ends inside a field');
  }

  private readVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw new MalformedMessageError('message ends inside a number');
      const byte = this.buffer[this.pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new MalformedMessageError('number longer than ten bytes');
  }
}

/** Length of the varint for a non-negative integer below 2^53. */
export function varintLength(value: number): number {
  let length = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    length++;
  }
  return length;
}

/** Writes an unsigned varint and returns the position after it. The caller guarantees the room. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  while (value >= 128) {
    if (value < 0x80000000) {
      target[position++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    } else {
      target[position++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
  }
  target[position++] = value;
  return position;
}

/** Builds one message in a buffer that grows. Zero values are written: a set `oneof` member must be on the wire. */
export class MessageWriter {
  private buffer: Buffer;
  private pos: number;

  /** @param reserved bytes left free at the front, for a frame header. */
  constructor(reserved = 0, capacity = 128) {
    this.buffer = Buffer.allocUnsafe(reserved + capacity);
    this.pos = reserved;
  }

  uint(field: number, value: number): this {
    this.ensure(20);
    this.tag(field, 0);
    this.pos = writeVarint(this.buffer, this.pos, value);
    return this;
  }

  /** A signed or a 64-bit value, exact. */
  int64(field: number, value: bigint): this {
    this.ensure(20);
    this.tag(field, 0);
    let rest = BigInt.asUintN(64, value);
    while (rest >= 128n) {
      this.buffer[this.pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.pos++] = Number(rest);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  bytes(field: number, value: Uint8Array): this {
    this.ensure(20 + value.length);
    this.tag(field, 2);
    this.pos = writeVarint(this.buffer, this.pos, value.length);
    this.buffer.set(value, this.pos);
    this.pos += value.length;
    return this;
  }

  string(field: number, value: string): this {
    const length = Buffer.byteLength(value);
    this.ensure(20 + length);
    this.tag(field, 2);
    this.pos = writeVarint(this.buffer, this.pos, length);
    this.pos += this.buffer.write(value, this.pos, 'utf8');
    return this;
  }

  empty(field: number): this {
    this.ensure(11);
    this.tag(field, 2);
    this.buffer[this.pos++] = 0;
    return this;
  }

  /** A nested message. */
  message(field: number, build: (inner: MessageWriter) => unknown): this {
    this.ensure(20);
    this.tag(field, 2);
    const lengthAt = this.pos++;
    build(this);
    const length = this.pos - lengthAt - 1;
    const extra = varintLength(length) - 1;
    if (extra > 0) {
      this.ensure(extra);
      this.buffer.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.pos);
      this.pos += extra;
    }
    writeVarint(this.buffer, lengthAt, length);
    return this;
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.pos);
  }

  private tag(field: number, wire: number): void {
    this.pos = writeVarint(this.buffer, this.pos, field * 8 + wire);
  }

  private ensure(room: number): void {
    if (this.pos + room <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe((this.pos + room) * 2);
    this.buffer.copy(larger, 0, 0, this.pos);
    this.buffer = larger;
  }
}
