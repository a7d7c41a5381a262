import { ObjectId } from 'bson';
import { type RawDocument, RawDocument as Raw, sameBytes } from '../bson/read';
import { BsonWriter } from '../bson/write';
import { CommandError, duplicateKey } from '../errors';
import { type Index } from './index-definition';
import { encodeKey, fitKey } from '../bson/key-encoding';
import { idKey, recordBytes, recordKey, recordOf, prefixRange, Space, successor } from './keys';
import { shown } from '../bson/shown';
import { type KeyValue } from './store';
import { valueAt } from '../bson/paths';
import { BsonType, type Document, type Value } from '../bson/values';

/** The largest document that MongoDB stores. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const NO_VALUE = Buffer.alloc(0);

interface EntryChange {
  index: Index;
  removed: Buffer[];
  added: Buffer[];
}

/**
 * A collection's documents and index entries over any key-value view. Each change first checks everything that can fail and then
 * writes, so a refused document leaves no trace.
 */
export class Collection {
  readonly indexes: Index[] = [];

  constructor(
    readonly id: number,
    public namespace: string,
    public nextRecord: number,
    private readonly onChange: () => void,
  ) {}

  get database(): string {
    return this.namespace.slice(0, this.namespace.indexOf('.'));
  }

  get name(): string {
    return this.namespace.slice(this.namespace.indexOf('.') + 1);
  }

  get idIndex(): Index {
    return this.indexes[0]!;
  }

  indexNamed(name: string): Index | undefined {
    return this.indexes.find((index) => index.meta.name === name);
  }

  addIndex(index: Index): void {
    this.indexes.push(index);
    this.onChange();
  }

  removeIndex(index: Index): void {
    this.indexes.splice(this.indexes.indexOf(index), 1);
    this.onChange();
  }

  /** The document of a record; with `fast` it is only valid until the next call. */
  read(kv: KeyValue, record: number, fast = false): RawDocument | undefined {
    const bytes = kv.get(recordKey(this.id, record), fast);
    return bytes && new Raw(bytes);
  }

  /** The record whose `_id` is `id`. */
  recordOfId(kv: KeyValue, id: Value | undefined): number | undefined {
    const found = kv.get(entryKey(this.idIndex.id, fitKey(encodeKey(id)).key), true);
    return found && recordOf(found);
  }

  /**
   * Stores a document that has its `_id` first.
   * @throws CommandError DuplicateKey (11000), CannotIndexParallelArrays (171), BSONObjectTooLarge (10334).
   */
  insert(kv: KeyValue, doc: RawDocument): number {
    checkSize(doc.bytes);
    const record = this.nextRecord;
    const changes: EntryChange[] = [];
    for (const index of this.indexes) {
      const keys = this.keysFor(index, doc);
      this.checkUnique(kv, index, keys, record, doc);
      changes.push({ index, removed: [], added: keys });
    }
    this.nextRecord++;
    kv.put(recordKey(this.id, record), doc.bytes);
    this.apply(kv, changes, record);
    kv.adjustCount(this.id, 1);
    return record;
  }

  /**
   * Puts `after` in the place of `before`, which is not looked at any more once the store is; their `_id`s must be equal.
   * @throws as `insert`.
   */
  replace(kv: KeyValue, record: number, before: RawDocument, after: RawDocument): void {
    checkSize(after.bytes);
    const changes: EntryChange[] = [];
    for (const index of this.indexes) {
      if (index === this.idIndex || (!index.meta.partialFilter && sameRoots(index, before, after))) continue;
      changes.push({ index, ...difference(index.keysOf(before)?.keys ?? [], this.keysFor(index, after)) });
    }
    for (const { index, added } of changes) this.checkUnique(kv, index, added, record, after);
    kv.put(recordKey(this.id, record), after.bytes);
    this.apply(kv, changes, record);
  }

  remove(kv: KeyValue, record: number, doc: RawDocument): void {
    kv.remove(recordKey(this.id, record));
    this.apply(
      kv,
      this.indexes.map((index) => ({ index, removed: index.keysOf(doc)?.keys ?? [], added: [] })),
      record,
    );
    kv.adjustCount(this.id, -1);
  }

  /**
   * Adds an index with the entries of all documents.
   * @throws CommandError DuplicateKey (11000) when a unique index cannot be built.
   */
  buildIndex(kv: KeyValue, index: Index): void {
    const { start, end } = prefixRange(idKey(Space.record, this.id));
    for (let from = start, more = true; more;) {
      const chunk = kv.range({ start: from, end }, 500);
      for (const { key, value } of chunk.entries) {
        const record = recordOf(key);
        const doc = new Raw(value);
        const keys = this.keysFor(index, doc);
        this.checkUnique(kv, index, keys, record, doc);
        this.apply(kv, [{ index, removed: [], added: keys }], record);
      }
      more = chunk.more;
      if (more) from = successor(chunk.entries.at(-1)!.key);
    }
    this.addIndex(index);
  }

  private keysFor(index: Index, doc: RawDocument): Buffer[] {
    const keys = index.keysOf(doc);
    if (!keys) return [];
    if ((keys.multikey && !index.multikey) || (keys.truncated && !index.truncated)) {
      index.multikey ||= keys.multikey;
      index.truncated ||= keys.truncated;
      this.onChange();
    }
    return keys.keys;
  }

  private checkUnique(kv: KeyValue, index: Index, keys: Buffer[], record: number, doc: RawDocument): void {
    if (!index.meta.unique) return;
    for (const key of keys) {
      const holder = kv.get(entryKey(index.id, key), true);
      if (holder && recordOf(holder) !== record) throw this.duplicate(index, key, doc);
    }
  }

  private duplicate(index: Index, key: Buffer, doc: RawDocument): CommandError {
    const values: Document = new Map();
    const { fields } = index.meta;
    for (const { path } of fields) {
      const value = valueAt(doc, path) ?? null;
      const held =
        Array.isArray(value) && fields.length === 1 ? value.find((item) => encodeKey(item).equals(key)) : undefined;
      values.set(path.join('.'), held ?? value);
    }
    return duplicateKey(this.namespace, index.meta.name, index.meta.key, values, shown(values));
  }

  private apply(kv: KeyValue, changes: EntryChange[], record: number): void {
    for (const { index, removed, added } of changes) {
      const { unique } = index.meta;
      for (const key of removed) kv.remove(entryKey(index.id, key, unique ? undefined : record));
      for (const key of added)
        if (unique) kv.put(entryKey(index.id, key), recordBytes(record));
        else kv.put(entryKey(index.id, key, record), NO_VALUE);
    }
  }
}

function checkSize(bytes: Buffer): void {
  if (bytes.length > MAX_DOCUMENT_BYTES)
    throw new CommandError(
      'BSONObjectTooLarge',
      `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_DOCUMENT_BYTES}`,
    );
}

/** The storage key of an index entry. */
function entryKey(indexId: number, key: Buffer, record?: number): Buffer {
  const size = 5 + key.length + (record === undefined ? 0 : 6);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = Space.index;
  bytes.writeUInt32BE(indexId, 1);
  key.copy(bytes, 5);
  if (record !== undefined) bytes.writeUIntBE(record, size - 6, 6);
  return bytes;
}

/** Fields that did not change byte for byte have the same keys; most updates touch no indexed field. */
function sameRoots(index: Index, before: RawDocument, after: RawDocument): boolean {
  for (const root of index.roots) {
    const old = before.find(root);
    const now = after.find(root);
    if (!old || !now) {
      if (old !== now) return false;
    } else if (
      old.type !== now.type ||
      !sameBytes(before.bytes, old.valueAt, old.end, after.bytes, now.valueAt, now.end)
    )
      return false;
  }
  return true;
}

function difference(before: Buffer[], after: Buffer[]): { removed: Buffer[]; added: Buffer[] } {
  const within = (list: Buffer[], key: Buffer): boolean => list.some((other) => other.equals(key));
  return {
    removed: before.filter((key) => !within(after, key)),
    added: after.filter((key) => !within(before, key)),
  };
}

/**
 * The bytes to store for a new document: with an `_id`, which comes first.
 * @throws CommandError InvalidIdField (53) or BadValue (2) for an `_id` that MongoDB refuses.
 */
export function storedForm(doc: RawDocument): RawDocument {
  const id = doc.find('_id');
  if (id) checkId(id.type, doc.get('_id')!);
  if (doc.firstName() === '_id') return new Raw(doc.slice());
  const writer = new BsonWriter(doc.length + 32);
  const start = writer.begin();
  if (id) writer.header(id.type, '_id');
  if (id) writer.raw(doc.bytes, id.valueAt, id.end);
  else writer.element('_id', new ObjectId());
  for (const element of doc.elements()) {
    if (element.name === '_id') continue;
    writer.header(element.type, element.name);
    writer.raw(doc.bytes, element.valueAt, element.end);
  }
  writer.finish(start);
  return new Raw(writer.take());
}

function checkId(type: number, id: Value): void {
  if (type === BsonType.array || type === BsonType.regex || type === BsonType.undefined)
    throw new CommandError('InvalidIdField', "The '_id' value cannot be an array, a regex or undefined");
  if (id instanceof Map)
    for (const name of id.keys())
      if (name.startsWith('$') && !/^\$(ref|id|db)$/.test(name))
        throw new CommandError(
          'DollarPrefixedFieldName',
          `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
        );
}
