/**
 * STORAGE FORMAT: the key space of the one LMDB database.
 *
 * - `01 namespace`: a collection's definition, BSON
 * - `02 collection`: its number of documents, u64
 * - `03 collection | index`: a dropped id whose entries are still to be removed
 * - `04 session`: the last retryable write of a session, BSON
 * - `10 collection record`: a document, BSON
 * - `20 index key record`: an index entry; `20 index key -> record` in a unique index
 *
 * Ids are u32, record ids u48, both big endian, so that records keep the order in which they were inserted.
 */
export const Space = {
  collection: 0x01,
  count: 0x02,
  dropped: 0x03,
  session: 0x04,
  record: 0x10,
  index: 0x20,
} as const;

export const RECORD_BYTES = 6;

export function namespaceKey(namespace: string): Buffer {
  return Buffer.concat([Buffer.from([Space.collection]), Buffer.from(namespace, 'utf8')]);
}

export function idKey(space: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = space;
  key.writeUInt32BE(id, 1);
  return key;
}

export function recordKey(collectionId: number, record: number): Buffer {
  const key = Buffer.allocUnsafe(11);
  key[0] = Space.record;
  key.writeUInt32BE(collectionId, 1);
  key.writeUIntBE(record, 5, RECORD_BYTES);
  return key;
}

/** The record id in the last bytes of a key or value. */
export function recordOf(bytes: Buffer): number {
  return bytes.readUIntBE(bytes.length - RECORD_BYTES, RECORD_BYTES);
}

export function recordBytes(record: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_BYTES);
  bytes.writeUIntBE(record, 0, RECORD_BYTES);
  return bytes;
}

/** The first key behind `key`. */
export function successor(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Buffer): { start: Buffer; end: Buffer } {
  const end = Buffer.from(prefix);
  let at = end.length - 1;
  while (end[at] === 0xff) at--;
  end[at]!++;
  return { start: prefix, end: end.subarray(0, at + 1) };
}
