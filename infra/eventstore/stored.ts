import type { ResolvedEvent } from '@eventstore/db-client';
import { type EventBatch, parseStreamName, type SubscribeOptions } from '../../packages/eventsourcing';
import type { StoredEvent } from '../../packages/evidence';

export type { StoredEvent };

/** What arrived since the last batch was handled, as `EventBatch` has it. */
export type Batch<E> = Omit<EventBatch, 'events'> & { readonly events: readonly E[] };

export interface StoredSubscribeOptions extends SubscribeOptions {
  /** Only streams whose names begin in one of these ways. */
  readonly streamPrefixes?: readonly string[] | undefined;
  /** How often it may fail without an event in between before it gives up; never when left out. */
  readonly tries?: number | undefined;
}

/** Undefined for what stands in nobody's streams. */
export function toStored({ event }: ResolvedEvent): StoredEvent | undefined {
  if (!event || !parseStreamName(event.streamId)) return undefined;
  return {
    id: event.id,
    stream: event.streamId,
    revision: Number(event.revision),
    position: event.position!.commit,
    type: event.type,
    data: event.data,
    metadata: event.metadata,
    recordedAt: recordedAt(event.created),
  };
}

/** A time that was damaged beyond what a date can be is still evidence of the damage. */
function recordedAt(created: Date): string {
  return Number.isNaN(created.getTime()) ? 'no time' : created.toISOString();
}
