import type { Collection, Db } from 'mongodb';
import type { RecordedEvent } from '../../packages/eventsourcing';

/** An event that a consumer could not apply, kept until it is driven again. Storage format. */
export interface ParkedDocument {
  /** `<consumer>:<position>`, with `:<key>` where the event concerned several keys */
  _id: string;
  consumer: string;
  position: string;
  stream: string;
  type: string;
  reason: string;
  parkedAt: Date;
}

/** The events that projections and workflows could not apply, with the reason. */
export class Parked {
  private readonly collection: Collection<ParkedDocument>;

  constructor(db: Db) {
    this.collection = db.collection('parked');
  }

  async park(consumer: string, event: RecordedEvent, error: unknown, key?: string): Promise<void> {
    const position = event.position.toString();
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const { stream, type } = event;
    const replacement = { consumer, position, stream, type, reason, parkedAt: new Date() };
    const _id = [consumer, position, ...(key ? [key] : [])].join(':');
    await this.collection.replaceOne({ _id }, replacement, { upsert: true });
  }

  list(): Promise<ParkedDocument[]> {
    return this.collection.find().sort({ _id: 1 }).toArray();
  }
}
