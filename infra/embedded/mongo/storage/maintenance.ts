import { parseFilter } from '../query/filter-parser';
import { Deadline, find } from '../query/query';
import { document } from '../bson/values';
import { type Catalog } from './catalog';
import { type Collection } from './collection';
import { type Index } from './index-definition';
import { idKey, prefixRange, Space } from './keys';
import { type Store } from './store';

/** How often expired documents are looked for, as the server does. */
const EXPIRY_MILLISECONDS = 60_000;
const SWEEP_MILLISECONDS = 1_000;
const KEYS_PER_TRANSACTION = 5_000;
const DOCUMENTS_PER_TRANSACTION = 500;

/** Work in the background: removes what dropped collections and indexes left behind, and documents that a TTL index expired. */
export class Maintenance {
  private readonly timers = [
    setInterval(() => this.run(() => this.sweep()), SWEEP_MILLISECONDS).unref(),
    setInterval(() => this.run(() => this.expire(Date.now())), EXPIRY_MILLISECONDS).unref(),
  ];
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly catalog: Catalog,
  ) {}

  /** Stops after the transaction at hand; what is left is found again at the next start. */
  async close(): Promise<void> {
    this.closed = true;
    this.timers.forEach(clearInterval);
    await this.running;
  }

  private run(work: () => Promise<void>): void {
    this.running ??= work()
      .catch((error: unknown) => void process.stderr.write(`mongodb engine, maintenance: ${String(error)}\n`))
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Removes the entries of dropped ids, a few at a time, so that writers get their turn in between. */
  async sweep(): Promise<void> {
    const prefix = Buffer.from([Space.dropped]);
    for (const { key } of this.store.range(prefixRange(prefix), Infinity, true).entries) {
      const range = prefixRange(idKey(key[1]!, key.readUInt32BE(2)));
      let more = true;
      while (more && !this.closed)
        more = await this.store.write(() => {
          const { entries } = this.store.range(range, KEYS_PER_TRANSACTION, true);
          for (const entry of entries) this.store.remove(entry.key);
          if (entries.length === 0) this.store.remove(key);
          return entries.length > 0;
        });
    }
  }

  /** Deletes the documents whose date in a TTL index is older than its seconds. */
  async expire(now: number): Promise<void> {
    for (const collection of this.catalog.all())
      for (const index of collection.indexes)
        while (index.meta.expireAfterSeconds !== undefined && !this.closed)
          if ((await this.store.write(() => this.expireSome(collection, index, now))) < DOCUMENTS_PER_TRANSACTION)
            break;
  }

  private expireSome(collection: Collection, index: Index, now: number): number {
    // It may have been dropped since the transaction before this one.
    if (this.catalog.get(collection.namespace) !== collection || !collection.indexes.includes(index)) return 0;
    const cutoff = new Date(now - index.meta.expireAfterSeconds! * 1_000);
    const expired = parseFilter(document({ [index.meta.fields[0]!.path.join('.')]: document({ $lt: cutoff }) }));
    const { partialFilter } = index.meta;
    const found = find(this.store, collection, {
      filter: partialFilter ? { kind: 'and', filters: [expired, partialFilter] } : expired,
      sort: [],
      skip: 0,
      limit: DOCUMENTS_PER_TRANSACTION,
      deadline: Deadline.in(0),
    });
    const records = [...found];
    for (const { record, doc } of records) collection.remove(this.store, record, doc);
    return records.length;
  }
}
