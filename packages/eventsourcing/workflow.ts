import type { DomainEvent, Recorded } from './messages';

/** A command that a workflow asks for, by its public name. Its id is derived from the event, so redelivery is harmless. */
export interface CommandRequest {
  readonly type: string;
  readonly data: object;
  /** ISO 8601; when it happens in the world. */
  readonly at: string;
}

/** What a workflow remembers: of the tenant as a whole, and of the one person (or other thing) that an event is about. */
export interface Known<Shared, Own> {
  readonly shared: Shared;
  readonly own: Own;
}

/** What one kind of event leads to. `before` and `after` are what was known before the event and with it. Pure. */
export interface Reaction<Shared, Own, E extends DomainEvent> {
  /** `when-<x>-then-<y>`; stands in the events that follow as the door through which the command came. */
  readonly name: string;
  readonly on: readonly E['type'][];
  readonly react: (
    event: Recorded<E>,
    before: Known<Shared, Own>,
    after: Known<Shared, Own>,
  ) => readonly CommandRequest[];
}

/**
 * A process manager: events in, commands out. Its state is folded from the same events, one part per tenant (`shared`) and one per
 * key (`own`). An event with a key changes and concerns that one. An event without a key changes what is shared, and
 * its reactions are asked once for every key there is, in batches that can be interrupted.
 */
export interface Workflow<Shared, Own, E extends DomainEvent> {
  readonly name: string;
  /** A bump folds the state anew from the beginning of the log. */
  readonly version: number;
  readonly handles: readonly E['type'][];
  readonly key: (event: Recorded<E>) => string | undefined;
  /** Null for a workflow that knows nothing of its tenants, or of its keys. */
  readonly initialShared: Shared;
  readonly initialOwn: Own;
  readonly evolveShared: (shared: Shared, event: Recorded<E>) => Shared;
  /** What is given back unchanged is not stored. */
  readonly evolveOwn: (own: Own, event: Recorded<E>) => Own;
  readonly reactions: readonly Reaction<Shared, Own, E>[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for AnyDecider
export type AnyWorkflow = Workflow<any, any, any>;
