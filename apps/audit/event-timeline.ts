import type { RecordedEvent } from '../../packages/eventsourcing';

/** One event as an auditor reads it: who, what, when, why, through which door. */
export interface TimelineEntry {
  readonly position: string;
  readonly stream: string;
  readonly id: string;
  readonly what: string;
  readonly data: object;
  readonly who: string;
  readonly roles: readonly string[];
  readonly via: string;
  /** ISO 8601; in the world, and in the store. */
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly why: string;
  readonly correlationId: string;
  readonly causationId: string;
}

/** The newest so many events that counted. */
export class EventTimeline {
  private readonly entries: RecordedEvent[] = [];
  private seen = 0;

  constructor(private readonly longest: number) {}

  add(event: RecordedEvent): void {
    if (this.longest > 0) this.entries[this.seen % this.longest] = event;
    this.seen++;
  }

  /** Events that are too old to be listed. */
  get leftOut(): number {
    return Math.max(0, this.seen - this.longest);
  }

  list(): TimelineEntry[] {
    const oldest = this.leftOut > 0 && this.longest > 0 ? this.seen % this.longest : 0;
    const events = [...this.entries.slice(oldest), ...this.entries.slice(0, oldest)];
    const byId = new Map(events.map((event) => [event.id, event]));
    return events.map((event) => entryOf(event, byId));
  }
}

function entryOf(event: RecordedEvent, byId: ReadonlyMap<string, RecordedEvent>): TimelineEntry {
  const { position, stream, id, type, data, metadata, recordedAt } = event;
  const { actor, occurredAt, $correlationId: correlationId, $causationId: causationId } = metadata;
  const { sub: who, roles, via } = actor;
  const why = [reasonOf(data), causeOf(event, byId.get(causationId))].filter(Boolean).join('; ');
  const when = { occurredAt, recordedAt };
  return {
    position: position.toString(),
    stream,
    id,
    what: type,
    data,
    who,
    roles,
    via,
    ...when,
    why,
    correlationId,
    causationId,
  };
}

/** What the event itself says. */
function reasonOf(data: object): string {
  const { reason } = data as { reason?: string | { kind: string; rule?: string; ruleVersion?: number } | null };
  if (reason === undefined || reason === null) return '';
  if (typeof reason === 'string') return reason;
  const version = reason.ruleVersion === undefined ? '' : ` version ${reason.ruleVersion}`;
  return reason.rule === undefined ? reason.kind : `${reason.kind}: rule ${reason.rule}${version}`;
}

function causeOf({ metadata }: RecordedEvent, cause: RecordedEvent | undefined): string {
  if (cause) return `${cause.type} at ${cause.position}`;
  const { $causationId, commandId } = metadata;
  return $causationId === commandId ? 'command' : `event ${$causationId}`;
}
