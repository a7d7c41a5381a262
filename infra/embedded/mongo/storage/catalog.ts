import { readDocument } from '../bson/read';
import { writeDocument } from '../bson/write';
import { Collection } from './collection';
import { CommandError } from '../errors';
import { Index, parseIndexMeta } from './index-definition';
import { idKey, namespaceKey, prefixRange, recordOf, Space, successor } from './keys';
import { type Entry, type KeyRange, type Store } from './store';
import { document, type Document, type Value } from '../bson/values';

/**
 * The collections and their indexes: read once at start, changed only inside write transactions, written back before those
 * commit, and read again when one is rolled back.
 */
export class Catalog {
  private collections = new Map<string, Collection>();
  private counts = new Map<number, number>();
  private changed = new Set<Collection>();
  private countsChanged = new Set<number>();
  private nextId = 1;

  constructor(private readonly store: Store) {
    store.beforeCommit = () => this.flush();
    store.afterAbort = () => this.load();
    store.onCount = (id, by) => {
      this.counts.set(id, (this.counts.get(id) ?? 0) + by);
      this.countsChanged.add(id);
    };
    this.load();
  }

  get(namespace: string): Collection | undefined {
    return this.collections.get(namespace);
  }

  all(): Collection[] {
    return [...this.collections.values()];
  }

  inDatabase(database: string): Collection[] {
    return this.all().filter((collection) => collection.database === database);
  }

  countOf(collection: Collection): number {
    return this.counts.get(collection.id) ?? 0;
  }

  /** The collection, created when missing, with its index on `_id`. Only inside a write transaction. */
  ensure(namespace: string): Collection {
    const existing = this.collections.get(namespace);
    if (existing) return existing;
    checkNamespace(namespace);
    const collection = new Collection(this.nextId++, namespace, 1, () => this.changed.add(collection));
    collection.addIndex(
      new Index(this.nextId++, parseIndexMeta(document({ key: document({ _id: 1 }), name: '_id_' }))),
    );
    this.collections.set(namespace, collection);
    this.changed.add(collection);
    return collection;
  }

  newIndexId(): number {
    return this.nextId++;
  }

  /** Removes the collection at once; its entries are swept later. Only inside a write transaction. */
  drop(collection: Collection): void {
    this.collections.delete(collection.namespace);
    this.changed.delete(collection);
    this.store.remove(namespaceKey(collection.namespace));
    this.store.remove(idKey(Space.count, collection.id));
    this.counts.delete(collection.id);
    this.countsChanged.delete(collection.id);
    this.discard(Space.record, collection.id);
    for (const index of collection.indexes) this.discard(Space.index, index.id);
  }

  /** Marks the entries of a dropped collection or index for the sweep. */
  discard(space: number, id: number): void {
    this.store.put(Buffer.concat([Buffer.from([Space.dropped]), idKey(space, id)]), Buffer.alloc(0));
  }

  /** Gives a collection another name in the same transaction. The caller has dropped what stood there. */
  rename(collection: Collection, namespace: string): void {
    checkNamespace(namespace);
    this.collections.delete(collection.namespace);
    this.store.remove(namespaceKey(collection.namespace));
    collection.namespace = namespace;
    this.collections.set(namespace, collection);
    this.changed.add(collection);
  }

  private flush(): void {
    for (const collection of this.changed) this.store.put(namespaceKey(collection.namespace), this.encode(collection));
    for (const id of this.countsChanged) {
      const count = Buffer.alloc(8);
      count.writeBigUInt64BE(BigInt(Math.max(0, this.counts.get(id) ?? 0)));
      this.store.put(idKey(Space.count, id), count);
    }
    this.changed.clear();
    this.countsChanged.clear();
  }

  private encode(collection: Collection): Buffer {
    const indexes = collection.indexes.map(
      (index): Document =>
        new Map<string, Value>([
          ['id', index.id],
          ['multikey', index.multikey],
          ['truncated', index.truncated],
          ['meta', index.meta.specification],
        ]),
    );
    return writeDocument(document({ id: collection.id, nextId: this.nextId, indexes }));
  }

  private load(): void {
    const previous = this.collections;
    this.collections = new Map();
    this.counts = new Map();
    this.changed.clear();
    this.countsChanged.clear();
    const prefix = Buffer.from([Space.collection]);
    for (const { key, value } of whole(this.store, prefixRange(prefix))) {
      const namespace = key.toString('utf8', 1);
      this.collections.set(namespace, this.decode(namespace, readDocument(value)));
    }
    // Record ids handed out in a rolled back transaction are not handed out again: a suspended cursor may have seen them.
    for (const collection of previous.values()) {
      const kept = this.collections.get(collection.namespace);
      if (kept?.id === collection.id) kept.nextRecord = Math.max(kept.nextRecord, collection.nextRecord);
    }
    for (const { key, value } of whole(this.store, prefixRange(Buffer.from([Space.count]))))
      this.counts.set(key.readUInt32BE(1), Number(value.readBigUInt64BE()));
    for (const { key } of whole(this.store, prefixRange(Buffer.from([Space.dropped]))))
      this.nextId = Math.max(this.nextId, key.readUInt32BE(2) + 1);
  }

  private decode(namespace: string, stored: Document): Collection {
    const id = stored.get('id') as number;
    this.nextId = Math.max(this.nextId, stored.get('nextId') as number, id + 1);
    const [last] = this.store.range({ ...prefixRange(idKey(Space.record, id)), reverse: true }, 1, true).entries;
    const collection = new Collection(id, namespace, last ? recordOf(last.key) + 1 : 1, () =>
      this.changed.add(collection),
    );
    for (const entry of stored.get('indexes') as Document[]) {
      const index = new Index(entry.get('id') as number, parseIndexMeta(entry.get('meta') as Document));
      index.multikey = entry.get('multikey') === true;
      index.truncated = entry.get('truncated') === true;
      this.nextId = Math.max(this.nextId, index.id + 1);
      collection.addIndex(index);
    }
    return collection;
  }
}

/** All entries of a range, chunk by chunk. */
function* whole(store: Store, { start, end }: KeyRange): Generator<Entry> {
  for (let from = start, more = true; more;) {
    const chunk = store.range({ start: from, end }, 1_000);
    yield* chunk.entries;
    more = chunk.more;
    if (more) from = successor(chunk.entries.at(-1)!.key);
  }
}

/** @throws CommandError InvalidNamespace (73) for names that MongoDB refuses. */
export function checkNamespace(namespace: string): void {
  const dot = namespace.indexOf('.');
  const name = namespace.slice(dot + 1);
  if (dot <= 0 || /[\s/\\"$\0]/.test(namespace.slice(0, dot)) || Buffer.byteLength(namespace.slice(0, dot)) > 63)
    throw new CommandError('InvalidNamespace', `Invalid database name: '${namespace.slice(0, Math.max(dot, 0))}'`);
  if (
    name === '' ||
    name.startsWith('.') ||
    name.includes('$') ||
    name.includes('\0') ||
    Buffer.byteLength(namespace) > 255
  )
    throw new CommandError('InvalidNamespace', `Invalid collection name: '${name}'`);
}
