import { Binary, BSONRegExp, Decimal128, Double, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { CommandError } from '../errors';
import { BsonType, type Document, type Fields, Opaque, type Value } from './values';

/** The server's limit on nesting (BSONDepth::kDefaultMaxAllowableDepth). */
const MAX_DEPTH = 200;

const invalid = (reason: string): CommandError => new CommandError('InvalidBSON', `Invalid BSON: ${reason}`);

/**
 * Walks every byte of the document at `start` and returns its end. All other readers trust bytes that passed here.
 * @throws CommandError InvalidBSON (22) for lengths, terminators, booleans or types that the BSON specification does not allow.
 */
export function validateDocument(bytes: Buffer, start: number, limit: number, depth = 0): number {
  if (depth > MAX_DEPTH) throw invalid(`nested more than ${MAX_DEPTH} levels deep`);
  if (start + 5 > limit) throw invalid('a document needs at least 5 bytes');
  const length = bytes.readInt32LE(start);
  const end = start + length;
  if (length < 5 || end > limit || bytes[end - 1] !== 0) throw invalid('a document has a wrong length');
  let at = start + 4;
  const last = end - 1;
  while (at < last) {
    const type = bytes[at]!;
    at = validateName(bytes, at + 1, last);
    if (type === BsonType.object || type === BsonType.array) at = validateDocument(bytes, at, last, depth + 1);
    else at = validateScalar(type, bytes, at, last, depth);
    if (at > last) throw invalid('a value runs past the end of its document');
  }
  return end;
}

function validateName(bytes: Buffer, at: number, limit: number): number {
  let end = at;
  while (end < limit && bytes[end] !== 0) end++;
  if (end >= limit) throw invalid('a name has no end');
  return end + 1;
}

function validateString(bytes: Buffer, at: number, limit: number): number {
  if (at + 5 > limit) throw invalid('a string is cut off');
  const length = bytes.readInt32LE(at);
  const end = at + 4 + length;
  if (length < 1 || end > limit || bytes[end - 1] !== 0) throw invalid('a string has a wrong length');
  return end;
}

function validateScalar(type: number, bytes: Buffer, at: number, limit: number, depth: number): number {
  switch (type) {
    case BsonType.string:
    case BsonType.javascript:
    case BsonType.symbol:
      return validateString(bytes, at, limit);
    case BsonType.binData: {
      if (at + 5 > limit) throw invalid('binary data is cut off');
      const length = bytes.readInt32LE(at);
      if (length < 0) throw invalid('binary data has a negative length');
      return at + 5 + length;
    }
    case BsonType.bool:
      if (at >= limit || bytes[at]! > 1) throw invalid('a boolean is neither 0 nor 1');
      return at + 1;
    case BsonType.regex:
      return validateName(bytes, validateName(bytes, at, limit), limit);
    case BsonType.dbPointer:
      return validateString(bytes, at, limit) + 12;
    case BsonType.javascriptWithScope: {
      const end = validateDocument(bytes, validateString(bytes, at + 4, limit), limit, depth + 1);
      if (bytes.readInt32LE(at) !== end - at) throw invalid('code with scope has a wrong length');
      return end;
    }
    default: {
      const size = fixedSize(type);
      if (size < 0) throw invalid(`0x${type.toString(16)} is not an element type`);
      return at + size;
    }
  }
}

function fixedSize(type: number): number {
  switch (type) {
    case BsonType.double:
    case BsonType.date:
    case BsonType.timestamp:
    case BsonType.long:
      return 8;
    case BsonType.int:
      return 4;
    case BsonType.objectId:
      return 12;
    case BsonType.bool:
      return 1;
    case BsonType.decimal:
      return 16;
    case BsonType.null:
    case BsonType.undefined:
    case BsonType.minKey:
    case BsonType.maxKey:
      return 0;
    default:
      return -1;
  }
}

/** Where the value at `at` ends; the bytes must be valid. */
export function endOfValue(type: number, bytes: Buffer, at: number): number {
  switch (type) {
    case BsonType.string:
    case BsonType.javascript:
    case BsonType.symbol:
      return at + 4 + bytes.readInt32LE(at);
    case BsonType.object:
    case BsonType.array:
    case BsonType.javascriptWithScope:
      return at + bytes.readInt32LE(at);
    case BsonType.binData:
      return at + 5 + bytes.readInt32LE(at);
    case BsonType.regex:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1;
    case BsonType.dbPointer:
      return at + 4 + bytes.readInt32LE(at) + 12;
    default:
      return at + fixedSize(type);
  }
}

/** Short names and strings are nearly always ASCII, for which this beats the call into the runtime. */
function readUtf8(bytes: Buffer, start: number, end: number): string {
  if (end - start > 24) return bytes.toString('utf8', start, end);
  let text = '';
  for (let at = start; at < end; at++) {
    const code = bytes[at]!;
    if (code > 127) return bytes.toString('utf8', start, end);
    text += String.fromCharCode(code);
  }
  return text;
}

/** Where the name at `at` ends. Names are short, for which this beats the call into the runtime. */
function endOfName(bytes: Buffer, at: number): number {
  while (bytes[at]) at++;
  return at;
}

/** Names that were read lately, by a hash of their bytes: the documents of a collection have the same few. */
const recentNames: string[] = Array.from({ length: 1_024 }, () => '');

function readName(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0 || length > 24) return readUtf8(bytes, start, end);
  const slot = (length * 31 + bytes[start]! * 7 + bytes[end - 1]! * 131 + bytes[start + (length >> 1)]! * 17) & 1_023;
  const recent = recentNames[slot]!;
  let same = recent.length === length ? 0 : length + 1;
  while (same < length && recent.charCodeAt(same) === bytes[start + same]) same++;
  if (same === length) return recent;
  const name = readUtf8(bytes, start, end);
  // Only ASCII has as many characters as bytes, and each of them is its byte.
  if (name.length === length) recentNames[slot] = name;
  return name;
}

/** Whether two stretches of bytes are the same; most that are compared are short. */
export function sameBytes(a: Buffer, aAt: number, aEnd: number, b: Buffer, bAt: number, bEnd: number): boolean {
  const length = aEnd - aAt;
  if (length !== bEnd - bAt) return false;
  if (length > 64) return a.compare(b, bAt, bEnd, aAt, aEnd) === 0;
  for (let at = 0; at < length; at++) if (a[aAt + at] !== b[bAt + at]) return false;
  return true;
}

/** Reads the value of element type `type` at `at`; the bytes must be valid. */
export function readValue(type: number, bytes: Buffer, at: number): Value {
  switch (type) {
    case BsonType.double: {
      const value = bytes.readDoubleLE(at);
      return Number.isInteger(value) ? new Double(value) : value;
    }
    case BsonType.string:
      return readUtf8(bytes, at + 4, at + 3 + bytes.readInt32LE(at));
    case BsonType.object:
      return readDocument(bytes, at);
    case BsonType.array:
      return readArray(bytes, at);
    case BsonType.binData: {
      const length = bytes.readInt32LE(at);
      return new Binary(Uint8Array.prototype.slice.call(bytes, at + 5, at + 5 + length), bytes[at + 4]);
    }
    case BsonType.objectId:
      return new ObjectId(Uint8Array.prototype.slice.call(bytes, at, at + 12));
    case BsonType.bool:
      return bytes[at] === 1;
    case BsonType.date:
      return new Date(Number(bytes.readBigInt64LE(at)));
    case BsonType.null:
      return null;
    case BsonType.regex: {
      const middle = bytes.indexOf(0, at);
      return new BSONRegExp(
        bytes.toString('utf8', at, middle),
        bytes.toString('utf8', middle + 1, bytes.indexOf(0, middle + 1)),
      );
    }
    case BsonType.int:
      return bytes.readInt32LE(at);
    case BsonType.timestamp:
      return new Timestamp(bytes.readBigUInt64LE(at));
    case BsonType.long:
      return bytes.readBigInt64LE(at);
    case BsonType.decimal:
      return new Decimal128(Uint8Array.prototype.slice.call(bytes, at, at + 16));
    case BsonType.minKey:
      return new MinKey();
    case BsonType.maxKey:
      return new MaxKey();
    default:
      return new Opaque(type, Buffer.from(bytes.subarray(at, endOfValue(type, bytes, at))));
  }
}

/** Decodes the document at `start`; the bytes must be valid. */
export function readDocument(bytes: Buffer, start = 0): Document {
  const result: Document = new Map();
  let at = start + 4;
  for (let type = bytes[at++]!; type !== 0; type = bytes[at++]!) {
    const nameEnd = endOfName(bytes, at);
    result.set(readName(bytes, at, nameEnd), readValue(type, bytes, nameEnd + 1));
    at = endOfValue(type, bytes, nameEnd + 1);
  }
  return result;
}

function readArray(bytes: Buffer, start: number): Value[] {
  const result: Value[] = [];
  let at = start + 4;
  for (let type = bytes[at++]!; type !== 0; type = bytes[at++]!) {
    at = endOfName(bytes, at);
    result.push(readValue(type, bytes, at + 1));
    at = endOfValue(type, bytes, at + 1);
  }
  return result;
}

/** One element of a raw document: `nameAt` to `valueAt - 1` is its name, `valueAt` to `end` its value. */
export interface RawElement {
  name: string;
  type: number;
  valueAt: number;
  end: number;
}

/** A document read field by field from its bytes, for when most of its fields are not looked at. */
export class RawDocument {
  constructor(
    readonly bytes: Buffer,
    readonly start = 0,
  ) {}

  get(name: string): Value | undefined {
    const element = this.find(name);
    return element && readValue(element.type, this.bytes, element.valueAt);
  }

  /** The element called `name`, or undefined. */
  find(name: string): RawElement | undefined {
    const bytes = this.bytes;
    const wanted = utf8Units(name);
    let at = this.start + 4;
    for (let type = bytes[at++]!; type !== 0; type = bytes[at++]!) {
      let matched = 0;
      while (matched < wanted.length && bytes[at + matched] === wanted.charCodeAt(matched)) matched++;
      let nameEnd = at + matched;
      if (matched === wanted.length && bytes[nameEnd] === 0)
        return { name, type, valueAt: nameEnd + 1, end: endOfValue(type, bytes, nameEnd + 1) };
      while (bytes[nameEnd] !== 0) nameEnd++;
      at = endOfValue(type, bytes, nameEnd + 1);
    }
    return undefined;
  }

  elements(): RawElement[] {
    const elements: RawElement[] = [];
    const bytes = this.bytes;
    let at = this.start + 4;
    for (let type = bytes[at++]!; type !== 0; type = bytes[at++]!) {
      const nameEnd = endOfName(bytes, at);
      const end = endOfValue(type, bytes, nameEnd + 1);
      elements.push({ name: readName(bytes, at, nameEnd), type, valueAt: nameEnd + 1, end });
      at = end;
    }
    return elements;
  }

  /** The name of the first field, or undefined for an empty document. */
  firstName(): string | undefined {
    const at = this.start + 4;
    return this.bytes[at] === 0 ? undefined : readName(this.bytes, at + 1, endOfName(this.bytes, at + 1));
  }

  get length(): number {
    return this.bytes.readInt32LE(this.start);
  }

  /** Whether both documents are the same, byte for byte. */
  sameAs(other: RawDocument): boolean {
    const { length } = this;
    return sameBytes(this.bytes, this.start, this.start + length, other.bytes, other.start, other.start + other.length);
  }

  /** The document's own bytes, a view. */
  slice(): Buffer {
    return this.bytes.subarray(this.start, this.start + this.length);
  }

  decode(): Document {
    return readDocument(this.bytes, this.start);
  }
}

/** All fields of a document, found in one pass, for documents most of whose fields are looked at. */
export class RawFields implements Fields {
  private readonly elements: RawElement[];

  constructor(readonly document: RawDocument) {
    this.elements = document.elements();
  }

  names(): string[] {
    return this.elements.map(({ name }) => name);
  }

  find(name: string): RawElement | undefined {
    for (const element of this.elements) if (element.name === name) return element;
    return undefined;
  }

  get(name: string): Value | undefined {
    const element = this.find(name);
    return element && readValue(element.type, this.document.bytes, element.valueAt);
  }
}

/** The name as one character per UTF-8 byte, to compare with raw bytes. */
function utf8Units(name: string): string {
  for (let at = 0; at < name.length; at++)
    if (name.charCodeAt(at) > 127) return Buffer.from(name, 'utf8').toString('latin1');
  return name;
}
