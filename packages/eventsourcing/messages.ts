/** A fact of the domain: a past-tense wire name and plain JSON data. */
export interface DomainEvent<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
  /** ISO 8601; only on a new event that did not happen in the world when its command did. Stored as `occurredAt`, and nowhere else. */
  readonly at?: string;
}

/** A request to change one aggregate. `at` is when it happens in the world (ISO 8601), never read from a clock inside `decide`. */
export interface Command<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
  readonly at: string;
}

/** Who acted, with which roles, through which door (`http`, `bulk`, `nats`, `hris`, `cli`, `workflow:<name>`). */
export interface Actor {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly via: string;
}

/** What is stored beside every event. The `$` names are EventStoreDB's own, so that its tools can follow them. */
export interface EventMetadata {
  /** Version of the event's data, counted from 1. */
  readonly schema: number;
  readonly tenant: string;
  readonly actor: Actor;
  readonly commandId: string;
  readonly $correlationId: string;
  readonly $causationId: string;
  /** ISO 8601; when it happened in the world, which HR facts learn late. */
  readonly occurredAt: string;
  /** Link of the stream's hash chain, see `integrity.ts`. */
  readonly hash: string;
}

/** An event ready to be appended. */
export interface NewEvent<E extends DomainEvent = DomainEvent> {
  readonly id: string;
  readonly type: E['type'];
  readonly data: E['data'];
  readonly metadata: EventMetadata;
}

/** An event as the store gives it back, already lifted to the newest version of its data. */
export interface RecordedEvent<E extends DomainEvent = DomainEvent> {
  readonly id: string;
  readonly stream: string;
  /** Number within the stream, counted from 0. */
  readonly revision: number;
  /** Place in the whole log: strictly increasing, not dense, opaque. */
  readonly position: bigint;
  readonly type: E['type'];
  readonly data: E['data'];
  /** Only on an event with personal data: its data with that still sealed, for stores that need not read it. */
  readonly sealed?: object;
  readonly metadata: EventMetadata;
  /** ISO 8601; when the store recorded it. */
  readonly recordedAt: string;
}

/** Narrows a recorded event to one context's union, so that a `switch` over `type` knows the data. */
export type Recorded<E extends DomainEvent> = E extends DomainEvent ? RecordedEvent<E> : never;
