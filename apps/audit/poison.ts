import { reasonOf } from '../../infra/mongo';
import type { RecordedEvent } from '../../packages/eventsourcing';

/** An event that could not be applied; the projector parks it too. */
export interface PoisonEvent {
  /** The read model that lacks it, or `clickhouse`. */
  readonly projection: string;
  readonly position: string;
  readonly stream: string;
  readonly type: string;
  readonly reason: string;
}

export interface PoisonEvents {
  readonly total: number;
  /** The first hundred. */
  readonly listed: readonly PoisonEvent[];
}

const LISTED = 100;

/** Gathers the events that could not be applied, each once per read model, however often it is met. */
export class PoisonTally {
  private readonly known = new Set<string>();
  private readonly listed: PoisonEvent[] = [];

  add(projection: string, { position, stream, type }: RecordedEvent, error: unknown): void {
    const id = `${projection}:${position}`;
    if (this.known.has(id)) return;
    this.known.add(id);
    if (this.listed.length === LISTED) return;
    this.listed.push({ projection, position: position.toString(), stream, type, reason: reasonOf(error) });
  }

  get result(): PoisonEvents {
    return { total: this.known.size, listed: this.listed };
  }
}
