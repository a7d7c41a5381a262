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

  /** The position last handled, undefined before the first. */
  async read(consumer: string): Promise<bigint | undefined> {
    const found = await this.collection.findOne({ _id: consumer });
    return found ? BigInt(found.position.toString()) : undefined;
  }

  /** Every consumer with its position. */
  async all(): Promise<[consumer: string, position: bigint][]> {
    const found = await this.collection.find().sort({ _id: 1 }).toArray();
    return found.map(({ _id, position }) => [_id, BigInt(position.toString())]);
  }

  async write(consumer: string, position: bigint): Promise<void> {
    const replacement = { position: Long.fromBigInt(position), updatedAt: new Date() };
    await this.collection.replaceOne({ _id: consumer }, replacement, { upsert: true });
  }
}
