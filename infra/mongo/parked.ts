import type { Collection, Db, Filter } from 'mongodb';
import type { RecordedEvent } from '../../packages/eventsourcing';
import { asked } from '../bell';
import type { WorkflowCommand } from './workflow-command';

/** An event that a consumer could not apply, kept until it is driven again. Storage format. */
export interface ParkedDocument {
  /** `<consumer>:<position>`, with `:<key>` where the event concerned several keys */
  _id: string;
  /** The collection that lacks it, or the workflow's reaction. */
  consumer: string;
  position: string;
  stream: string;
  type: string;
  reason: string;
  parkedAt: Date;
  /** Of a workflow: the key that it concerns there; empty for the tenant as a whole. */
  key?: string;
  /** Asked for by `redrive`, and not yet done. */
  redriving?: true;
  /** Of a reaction: the command that was refused. */
  command?: WorkflowCommand;
}

/** The events that projections and workflows could not apply, with the reason. */
export class Parked {
  private readonly collection: Collection<ParkedDocument>;

  constructor(db: Db) {
    this.collection = db.collection('parked');
  }

  async park(
    consumer: string,
    event: RecordedEvent,
    error: unknown,
    of: { key?: string; command?: WorkflowCommand } = {},
  ): Promise<void> {
    const position = event.position.toString();
    const { stream, type } = event;
    const { key, command } = of;
    const parked = { consumer, position, stream, type, reason: reasonOf(error), parkedAt: new Date() };
    const _id = [consumer, position, ...(key ? [key] : [])].join(':');
    const more = { ...(key !== undefined && { key }), ...(command && { command }) };
    await this.collection.replaceOne({ _id }, { ...parked, ...more }, { upsert: true });
  }

  /** Asks whoever parked these to drive them again. */
  async ask(ids: readonly string[]): Promise<void> {
    await this.collection.updateMany({ _id: { $in: [...ids] } }, { $set: { redriving: true } });
    asked.ring();
  }

  /** What these consumers are asked to drive again. */
  asked(consumers: readonly string[]): Promise<ParkedDocument[]> {
    return this.collection
      .find({ consumer: { $in: [...consumers] }, redriving: true })
      .sort({ _id: 1 })
      .toArray();
  }

  /**
   * What is parked, of one tenant where one is named, in the order of ids.
   * @param page.without consumers to leave out
   */
  list(
    tenant?: string,
    page: { limit?: number; after?: string | undefined; without?: readonly string[] } = {},
  ): Promise<ParkedDocument[]> {
    const filter: Filter<ParkedDocument> = {
      consumer: { $nin: [...(page.without ?? [])] },
      ...(tenant !== undefined && { stream: { $gte: `${tenant}.`, $lt: `${tenant}/` } }),
      ...(page.after !== undefined && { _id: { $gt: page.after } }),
    };
    return this.collection
      .find(filter)
      .sort({ _id: 1 })
      .limit(page.limit ?? 0)
      .toArray();
  }

  /** It could be applied after all. */
  async settle({ _id }: ParkedDocument): Promise<void> {
    await this.collection.deleteOne({ _id });
  }

  /** What was asked for is done; what was parked again meanwhile stays. */
  async settleAsked(ids: readonly string[]): Promise<void> {
    await this.collection.deleteMany({ _id: { $in: [...ids] }, redriving: true });
  }

  /** It still cannot be applied. */
  async refuse({ _id }: ParkedDocument, error: unknown): Promise<void> {
    await this.collection.updateOne({ _id }, { $set: { reason: reasonOf(error) } });
  }
}

/** What is kept of an error: its name and message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
