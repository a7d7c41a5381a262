import { type Collection, type Db, Long } from 'mongodb';

interface CheckpointDocument {
  _id: string;
  position: Long | number;
  updatedAt: Date;
}

/**
 * How far each consumer of the log has come: one document per consumer, or per share of one (`<consumer>:<share>`). Positions only
 * rise, so that a process which was taken for dead takes nothing back.
 */
export class Checkpoints {
  private readonly collection: Collection<CheckpointDocument>;

  constructor(db: Db, collection = 'checkpoints') {
    this.collection = db.collection(collection);
  }

  /** The positions last handled, 0 before the first. From the first call on the consumers stand in `all`. */
  async beginAll(consumers: readonly string[]): Promise<Map<string, bigint>> {
    const update = { $setOnInsert: { position: Long.ZERO, updatedAt: new Date() } };
    const operations = consumers.map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }));
    if (operations.length > 0) await this.collection.bulkWrite(operations, { ordered: false });
    const known = new Map(await this.all());
    return new Map(consumers.map((consumer) => [consumer, known.get(consumer) ?? 0n]));
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
    const update = { $max: { position: Long.fromBigInt(position) }, $set: { updatedAt: new Date() } };
    const operations = consumers.map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }));
    if (operations.length > 0) await this.collection.bulkWrite(operations, { ordered: false });
  }

  async delete(consumers: readonly string[]): Promise<void> {
    await this.collection.deleteMany({ _id: { $in: [...consumers] } });
  }
}
