import { type AnyBulkWriteOperation, type Collection, type Db, Long, type OptionalUnlessRequiredId } from 'mongodb';
import {
  type AnyProjection,
  type Document,
  documentKeys,
  type EventBatch,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import { atOnce, chunksOf } from '../at-once';
import type { Parked } from './parked';
import { partitionOf } from './partitions';

/** A read-model document as stored: with the position of the last event that changed it. */
export type Stored<D extends Document = Document> = D & { readonly position: Long | number };

/** What is known of a document: as stored, or further. */
interface Held {
  document: Document | null;
  /** Position of the last event folded into it. */
  position: bigint;
  isStored: boolean;
}

/** Documents per command: short enough for queries to pass between two of them. */
const CHUNK = 1_000;
const CHUNKS_AT_ONCE = 3;
/** Documents that are held while the log is read far behind its end. */
const HELD = 50_000;
/** Ids of a collection that was empty at first that are remembered, so that a new document is not looked for. */
const KNOWN = 1_000_000;

/**
 * Folds events into the documents of one collection. Writes are absolute values guarded by position, so that what comes again, or
 * comes from a process that was taken for dead, changes nothing. Between two flushes the documents are held in memory.
 */
export class CollectionFeed {
  private readonly collection: Collection<Stored>;
  private held = new Map<string, Held>();
  private readonly changed = new Set<string>();
  /** What could not be applied and is still to be parked. */
  private readonly poison: [event: RecordedEvent, error: unknown][] = [];
  /** Every id that the collection has, as long as that is certain. */
  private known: Set<string> | undefined;

  /**
   * @param consumer whose name is put to what is parked
   * @param reached for each partition that is fed here, the position up to which the collection has its events
   */
  constructor(
    db: Db,
    readonly projection: AnyProjection,
    readonly name: string,
    private readonly reached: ReadonlyMap<number, bigint>,
    private readonly parked: Parked,
  ) {
    this.collection = db.collection<Stored>(name);
  }

  /** Documents that wait to be written. */
  get waiting(): number {
    return this.changed.size;
  }

  /** The position after which it wants the log. */
  get position(): bigint {
    return [...this.reached.values()].reduce((a, b) => (a < b ? a : b));
  }

  /** Makes the collection and its indexes. */
  async prepare(): Promise<void> {
    const specs = this.projection.indexes.map(({ key, unique = false }) => ({ key: { ...key }, unique }));
    if (specs.length > 0) await this.collection.createIndexes(specs);
    this.known = (await this.collection.estimatedDocumentCount()) === 0 ? new Set() : undefined;
  }

  /** @param events those that the projection handles */
  async fold(events: EventBatch['events']): Promise<void> {
    const byKey = new Map<string, RecordedEvent[]>();
    for (const event of events) {
      for (const key of this.orPoison(event, () => documentKeys(this.projection, event)) ?? []) {
        const reached = this.reached.get(partitionOf(key));
        if (reached === undefined || event.position <= reached) continue;
        const group = byKey.get(key);
        if (group) group.push(event);
        else byKey.set(key, [event]);
      }
    }
    await this.load([...byKey.keys()]);
    for (const [key, group] of byKey) this.foldInto(key, group);
    for (const [event, error] of this.poison.splice(0)) await this.parked.park(this.name, event, error);
  }

  /**
   * Writes what has changed. Events may be folded meanwhile, which the next flush writes: that must come when this one has ended. After one
   * that fails, the feed is of no use any more.
   */
  async flush(): Promise<void> {
    const { fresh, others } = this.takeChanged();
    await atOnce(CHUNKS_AT_ONCE, chunksOf(CHUNK, fresh), (chunk) =>
      this.collection.insertMany(chunk, { ordered: false }),
    );
    await atOnce(CHUNKS_AT_ONCE, chunksOf(CHUNK, others), (chunk) =>
      this.collection.bulkWrite(chunk, { ordered: false }),
    );
  }

  /** At the end of the log: what is held is looked up again from here on. */
  forget(): void {
    this.held.clear();
    this.known = undefined;
  }

  /** What is to be written, which from here on counts as stored. */
  private takeChanged(): { fresh: OptionalUnlessRequiredId<Stored>[]; others: AnyBulkWriteOperation<Stored>[] } {
    const fresh: OptionalUnlessRequiredId<Stored>[] = [];
    const others: AnyBulkWriteOperation<Stored>[] = [];
    const taken = new Map<string, Held>();
    for (const _id of this.changed) {
      const held = this.held.get(_id)!;
      const position = Long.fromBigInt(held.position);
      const filter = { _id, position: { $lt: position } };
      if (held.document === null) others.push({ deleteOne: { filter } });
      else if (!held.isStored) fresh.push({ ...held.document, position });
      else others.push({ replaceOne: { filter, replacement: { ...held.document, position } } });
      held.isStored = held.document !== null;
      this.known?.add(_id);
      taken.set(_id, held);
    }
    this.changed.clear();
    // What is still to be written must be held until it is: it cannot be looked up yet.
    if (this.held.size > HELD) this.held = taken;
    if (this.known && this.known.size > KNOWN) this.known = undefined;
    return { fresh, others };
  }

  private async load(keys: readonly string[]): Promise<void> {
    const missing = keys.filter((key) => !this.held.has(key));
    const wanted = this.known ? missing.filter((key) => this.known!.has(key)) : missing;
    for (const key of missing) this.held.set(key, { document: null, position: -1n, isStored: false });
    await atOnce(CHUNKS_AT_ONCE, chunksOf(CHUNK, wanted), async (chunk) => {
      for await (const { position, ...document } of this.collection.find({ _id: { $in: chunk } })) {
        const held = { document: document as Document, position: BigInt(position.toString()), isStored: true };
        this.held.set(document._id, held);
      }
    });
  }

  private foldInto(key: string, events: readonly RecordedEvent[]): void {
    const held = this.held.get(key)!;
    for (const event of events) {
      if (event.position <= held.position) continue;
      const next = this.orPoison(
        event,
        () => this.projection.evolve(held.document ?? undefined, event, key) as Document | null,
      );
      if (next === undefined) continue;
      const isNothing = next === null && held.document === null && !held.isStored;
      held.document = next;
      held.position = event.position;
      if (!isNothing) this.changed.add(key);
    }
  }

  /** An event that cannot be applied is parked when its batch is folded, and its neighbours pass. */
  private orPoison<T>(event: RecordedEvent, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.poison.push([event, error]);
      return undefined;
    }
  }
}
