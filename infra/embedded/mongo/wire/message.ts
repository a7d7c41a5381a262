import { CommandError } from '../errors';
import { RawDocument, validateDocument } from '../bson/read';
import { BsonWriter } from '../bson/write';
import { crc32c } from './crc32c';
import { BsonType, type Document } from '../bson/values';

/** MongoDB wire protocol (specifications/source/message/OP_MSG.md): a header of four int32, little endian. */
export const HEADER_BYTES = 16;
export const MAX_MESSAGE_BYTES = 48_000_000;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

/** One request: a command document with its document sequences. */
export interface Request {
  requestId: number;
  legacy: boolean;
  /** The client expects no reply (`w: 0`). */
  silent: boolean;
  body: RawDocument;
  sequences: Map<string, RawDocument[]>;
}

/** Thrown for bytes after which the connection cannot go on. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

/**
 * Reads one whole message.
 * @throws ProtocolError when the frame is not a request of this protocol, CommandError InvalidBSON (22) when a document in it is malformed.
 */
export function parseRequest(message: Buffer): Request {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return parseMsg(message, requestId);
  if (opCode === OP_QUERY) return parseQuery(message, requestId);
  throw new ProtocolError(`The operation code ${opCode} is not supported`);
}

function parseMsg(message: Buffer, requestId: number): Request {
  if (message.length < HEADER_BYTES + 4) throw new ProtocolError('An OP_MSG is cut off');
  const flags = message.readUInt32LE(HEADER_BYTES);
  // The lower 16 bits must be understood; the upper ones may be ignored.
  if (flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME))
    throw new ProtocolError('An OP_MSG has unknown required flags');
  let limit = message.length;
  if (flags & CHECKSUM_PRESENT) {
    limit -= 4;
    if (limit < HEADER_BYTES + 4 || crc32c(message.subarray(0, limit)) !== message.readUInt32LE(limit))
      throw new ProtocolError('An OP_MSG has a wrong checksum');
  }
  const silent = (flags & MORE_TO_COME) !== 0;
  let body: RawDocument | undefined;
  const sequences = new Map<string, RawDocument[]>();
  for (let at = HEADER_BYTES + 4; at < limit;) {
    const kind = message[at++];
    if (kind === 0) {
      if (body) throw new ProtocolError('An OP_MSG has two bodies');
      const end = validateDocument(message, at, limit);
      body = new RawDocument(message, at);
      at = end;
    } else if (kind === 1) {
      at = parseSequence(message, at, limit, sequences);
    } else throw new ProtocolError(`An OP_MSG has a section of kind ${kind}`);
  }
  if (!body) throw new ProtocolError('An OP_MSG has no body');
  return { requestId, legacy: false, silent, body, sequences };
}

function parseSequence(message: Buffer, start: number, limit: number, sequences: Map<string, RawDocument[]>): number {
  if (start + 4 > limit) throw new ProtocolError('A document sequence is cut off');
  const end = start + message.readInt32LE(start);
  const nameEnd = message.indexOf(0, start + 4);
  if (end > limit || end < start + 5 || nameEnd < 0 || nameEnd >= end)
    throw new ProtocolError('A document sequence has a wrong length');
  const documents: RawDocument[] = [];
  for (let at = nameEnd + 1; at < end;) {
    documents.push(new RawDocument(message, at));
    at = validateDocument(message, at, end);
  }
  sequences.set(message.toString('utf8', start + 4, nameEnd), documents);
  return end;
}

/** The legacy OP_QUERY, with which drivers open a connection. */
function parseQuery(message: Buffer, requestId: number): Request {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4);
  const at = nameEnd + 9;
  if (nameEnd < 0 || at + 5 > message.length) throw new ProtocolError('An OP_QUERY is cut off');
  validateDocument(message, at, message.length);
  return { requestId, legacy: true, silent: false, body: new RawDocument(message, at), sequences: new Map() };
}

let nextRequestId = 1;

/** The bytes of a reply to `request`. */
export function encodeReply(request: Pick<Request, 'requestId' | 'legacy'>, reply: Document): Buffer {
  const writer = new BsonWriter(512);
  writer.int32(0);
  writer.int32(nextRequestId++ & 0x7fffffff);
  writer.int32(request.requestId);
  writer.int32(request.legacy ? OP_REPLY : OP_MSG);
  if (request.legacy) {
    // responseFlags, cursorID (int64), startingFrom, numberReturned
    for (const field of [8, 0, 0, 0, 1]) writer.int32(field);
  } else {
    writer.int32(0);
    writer.raw(Buffer.from([0]));
  }
  writer.document(reply);
  const bytes = writer.take();
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
}

/** The documents of an array field of the body, as raw bytes; undefined when the field is missing. */
export function rawArray(body: RawDocument, name: string): RawDocument[] | undefined {
  const element = body.find(name);
  if (!element) return undefined;
  if (element.type !== BsonType.array) throw new CommandError('TypeMismatch', `BSON field '${name}' must be an array`);
  const items = new RawDocument(body.bytes, element.valueAt);
  const documents: RawDocument[] = [];
  for (const item of items.elements()) {
    if (item.type !== BsonType.object)
      throw new CommandError('TypeMismatch', `BSON field '${name}.${item.name}' must be an object`);
    documents.push(new RawDocument(body.bytes, item.valueAt));
  }
  return documents;
}
