import { type Binary, type BSONRegExp, type Decimal128, Double, type ObjectId, type Timestamp } from 'bson';
import { BsonType, bsonTypeOf, type Document, Opaque, RawBson, type Value } from './values';

/** Writes BSON into one growing buffer. */
export class BsonWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(initialSize = 1024) {
    this.buffer = Buffer.allocUnsafe(initialSize);
  }

  get length(): number {
    return this.at;
  }

  /** A copy of what was written. */
  toBuffer(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.at));
  }

  /** What was written, without a copy; only for a writer that is not used again. */
  take(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  reset(): void {
    this.at = 0;
  }

  document(fields: Iterable<readonly [string, Value | undefined]>): void {
    const start = this.begin();
    for (const [name, value] of fields) if (value !== undefined) this.element(name, value);
    this.finish(start);
  }

  /** Opens a document; `finish` with the returned position closes it. */
  begin(): number {
    this.room(4);
    this.at += 4;
    return this.at - 4;
  }

  finish(start: number): void {
    this.byte(0);
    this.buffer.writeInt32LE(this.at - start, start);
  }

  element(name: string, value: Value): void {
    const type = bsonTypeOf(value);
    this.header(type, name);
    this.value(type, value);
  }

  /** Type byte and name of an element whose value follows. */
  header(type: number, name: string): void {
    this.room(name.length * 3 + 2);
    this.buffer[this.at++] = type;
    this.text(name);
    this.buffer[this.at++] = 0;
  }

  /** Ready-made bytes, for example the value of an element that did not change. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.room(end - start);
    this.buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.at);
    this.at += end - start;
  }

  int32(value: number): void {
    this.room(4);
    this.at = this.buffer.writeInt32LE(value, this.at);
  }

  private value(type: number, value: Value): void {
    switch (type) {
      case BsonType.double:
        this.room(8);
        this.at = this.buffer.writeDoubleLE(value instanceof Double ? value.value : (value as number), this.at);
        return;
      case BsonType.string:
        return this.string(value as string);
      case BsonType.object:
        return value instanceof RawBson ? this.raw(value.bytes) : this.document(value as Document);
      case BsonType.array: {
        const start = this.begin();
        (value as Value[]).forEach((item, index) => this.element(String(index), item));
        return this.finish(start);
      }
      case BsonType.binData: {
        const binary = value as Binary;
        const length = binary.position;
        this.int32(length);
        this.byte(binary.sub_type);
        return this.raw(binary.buffer, 0, length);
      }
      case BsonType.objectId:
        return this.raw((value as ObjectId).id);
      case BsonType.bool:
        return this.byte(value ? 1 : 0);
      case BsonType.date:
        return this.int64(BigInt(Math.trunc((value as Date).getTime()) || 0));
      case BsonType.regex: {
        const regex = value as BSONRegExp;
        this.cstring(regex.pattern);
        return this.cstring(regex.options);
      }
      case BsonType.int:
        return this.int32(value as number);
      case BsonType.long:
        return this.int64(value as bigint);
      case BsonType.timestamp: {
        const timestamp = value as Timestamp;
        this.int32(timestamp.low);
        return this.int32(timestamp.high);
      }
      case BsonType.decimal:
        return this.raw((value as Decimal128).bytes);
      default:
        if (value instanceof Opaque) this.raw(value.bytes);
    }
  }

  private string(text: string): void {
    this.room(text.length * 3 + 5);
    const start = this.at;
    this.at += 4;
    this.text(text);
    this.buffer[this.at++] = 0;
    this.buffer.writeInt32LE(this.at - start - 4, start);
  }

  private cstring(text: string): void {
    this.room(text.length * 3 + 1);
    this.text(text);
    this.buffer[this.at++] = 0;
  }

  /** Room for three bytes a character must have been made. */
  private text(text: string): void {
    const { buffer } = this;
    if (text.length > 24) {
      this.at += buffer.write(text, this.at, 'utf8');
      return;
    }
    let at = this.at;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        this.at += buffer.write(text, this.at, 'utf8');
        return;
      }
      buffer[at++] = code;
    }
    this.at = at;
  }

  private int64(value: bigint): void {
    this.room(8);
    this.at = this.buffer.writeBigInt64LE(BigInt.asIntN(64, value), this.at);
  }

  private byte(value: number): void {
    this.room(1);
    this.buffer[this.at++] = value;
  }

  private room(size: number): void {
    if (this.at + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + size));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }
}

const scratch = new BsonWriter(64 * 1024);

/** The BSON bytes of a document. */
export function writeDocument(doc: Document): Buffer {
  scratch.reset();
  scratch.document(doc);
  return scratch.toBuffer();
}
