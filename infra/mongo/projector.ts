import { type AnyBulkWriteOperation, type Db, Long } from 'mongodb';
import {
  type AnyProjection,
  collectionName,
  type Document,
  documentKeys,
  type EventBatch,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import type { Consumer } from '../consumer';
import { Checkpoints } from './checkpoints';
import { Parked } from './parked';

/** A read-model document as stored: with the position of the last event that changed it. */
export type Stored<D extends Document = Document> = D & { readonly position: Long | number };

interface Change {
  document: Document | null;
  /** Position of the last event applied, undefined when the stored document already had them all. */
  position: bigint | undefined;
}

/**
 * Reads the log once for all projections and applies each batch as one unordered bulk write per collection: absolute documents,
 * guarded by position. The checkpoint moves last, so a batch that a crash cut short comes again and changes nothing twice.
 */
export class MongoProjector implements Consumer {
  readonly name = 'mongo';
  /** Under load, a batch of a few milliseconds costs as much as one event alone. */
  readonly options = { lingerMs: 20 };
  private readonly checkpoints: Checkpoints;
  private readonly parked: Parked;

  constructor(
    private readonly db: Db,
    private readonly projections: readonly AnyProjection[],
  ) {
    this.checkpoints = new Checkpoints(db);
    this.parked = new Parked(db);
  }

  async position(): Promise<bigint | undefined> {
    await this.createIndexes();
    return this.checkpoints.begin(this.name);
  }

  async apply({ events, position }: EventBatch): Promise<void> {
    await Promise.all(this.projections.map((projection) => this.project(projection, events)));
    await this.checkpoints.write(this.name, position);
  }

  private async createIndexes(): Promise<void> {
    for (const projection of this.projections) {
      if (projection.indexes.length === 0) continue;
      const specs = projection.indexes.map(({ key, unique = false }) => ({ key: { ...key }, unique }));
      await this.db.collection(collectionName(projection)).createIndexes(specs);
    }
  }

  private async project(projection: AnyProjection, events: readonly RecordedEvent[]): Promise<void> {
    const byKey = new Map<string, RecordedEvent[]>();
    for (const event of events) {
      if (!projection.handles.includes(event.type)) continue;
      for (const key of (await this.orPark(projection, event, () => documentKeys(projection, event))) ?? []) {
        const group = byKey.get(key);
        if (group) group.push(event);
        else byKey.set(key, [event]);
      }
    }
    if (byKey.size === 0) return;

    const collection = this.db.collection<Stored>(collectionName(projection));
    const stored = new Map<string, Stored>();
    for await (const document of collection.find({ _id: { $in: [...byKey.keys()] } }))
      stored.set(document._id, document);

    const operations: AnyBulkWriteOperation<Stored>[] = [];
    for (const [_id, group] of byKey) {
      const { document, position } = await this.fold(projection, _id, stored.get(_id), group);
      if (position === undefined) continue;
      const guard = { _id, position: { $lt: Long.fromBigInt(position) } };
      if (document === null) operations.push({ deleteOne: { filter: guard } });
      else if (!stored.has(_id))
        operations.push({ insertOne: { document: { ...document, position: Long.fromBigInt(position) } } });
      else
        operations.push({
          replaceOne: { filter: guard, replacement: { ...document, position: Long.fromBigInt(position) } },
        });
    }
    if (operations.length > 0) await collection.bulkWrite(operations, { ordered: false });
  }

  private async fold(
    projection: AnyProjection,
    key: string,
    stored: Stored | undefined,
    events: readonly RecordedEvent[],
  ): Promise<Change> {
    const { position: storedPosition, ...rest } = stored ?? { position: -1 };
    const applied = BigInt(storedPosition.toString());
    const change: Change = { document: stored ? (rest as Document) : null, position: undefined };
    for (const event of events) {
      if (event.position <= applied) continue;
      const next = await this.orPark(
        projection,
        event,
        () => projection.evolve(change.document ?? undefined, event, key) as Document | null,
      );
      if (next === undefined) continue;
      change.document = next;
      change.position = event.position;
    }
    return change;
  }

  /** A poison event is parked and its neighbours pass. */
  private async orPark<T>(projection: AnyProjection, event: RecordedEvent, work: () => T): Promise<T | undefined> {
    try {
      return work();
    } catch (error) {
      await this.parked.park(collectionName(projection), event, error);
      return undefined;
    }
  }
}
