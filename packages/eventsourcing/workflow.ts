import type { DomainEvent, Recorded } from './messages';

/** A command that a workflow asks for, by its public name. Its id is derived from the event, so redelivery is harmless. */
export interface CommandRequest {
  readonly type: string;
  readonly data: object;
  /** ISO 8601; when it happens in the world. */
  readonly at: string;
}

/**
 * A process manager: events in, commands out. Its state is kept per tenant and folded from the same events.
 * `react` sees the state after the event. Pure.
 */
export interface Workflow<S, E extends DomainEvent> {
  /** `when-<x>-then-<y>`. */
  readonly name: string;
  readonly version: number;
  readonly handles: readonly E['type'][];
  readonly initialState: S;
  readonly evolve: (state: S, event: Recorded<E>) => S;
  readonly react: (event: Recorded<E>, state: S) => readonly CommandRequest[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for AnyDecider
export type AnyWorkflow = Workflow<any, any>;
