import { type Collection, type Db, Long } from 'mongodb';

interface CheckpointDocument {
  _id: string;
  position: Long | number;
  updatedAt: Date;
}

/** How far each consumer of the log has come: one document per consumer in `checkpoints`. */
export class Checkpoints {
  private readonly collection: Collection<CheckpointDocument>;

  constructor(db: Db) {
    this.collection = db.collection('checkpoints');
  }

  /** The position last handled, undefined before the first. From the first call on the consumer stands in `all`, at 0. */
  async begin(consumer: string): Promise<bigint | undefined> {
    const start = { $setOnInsert: { position: Long.ZERO, updatedAt: new Date() } };
    await this.collection.updateOne({ _id: consumer }, start, { upsert: true });
    return (await this.read(consumer)) || undefined;
  }

  /** The position last handled; 0 before the first, which is before every event. */
  async read(consumer: string): Promise<bigint> {
    const found = await this.collection.findOne({ _id: consumer });
    return BigInt(found?.position.toString() ?? 0);
  }

  /** Every consumer with its position. */
  async all(): Promise<[consumer: string, position: bigint][]> {
    const found = await this.collection.find().sort({ _id: 1 }).toArray();
    return found.map(({ _id, position }) => [_id, BigInt(position.toString())]);
  }

  async write(consumer: string, position: bigint): Promise<void> {
    await this.writeAll([consumer], position);
  }

  /** Moves several consumers to one position. */
  async writeAll(consumers: readonly string[], position: bigint): Promise<void> {
    const replacement = { position: Long.fromBigInt(position), updatedAt: new Date() };
    const operations = consumers.map((_id) => ({ replaceOne: { filter: { _id }, replacement, upsert: true } }));
    if (operations.length > 0) await this.collection.bulkWrite(operations, { ordered: false });
  }
}
