import type { Command, DomainEvent } from './messages';

/**
 * One aggregate as three values: where it starts, what it answers, how it changes. All pure.
 * `decide` of an accepted command, run again on the state that follows, yields nothing.
 */
export interface Decider<S, C extends Command, E extends DomainEvent> {
  /** Middle part of the stream name, `<tenant>.<category>-<id>`. */
  readonly category: string;
  readonly initialState: S;
  /** The aggregate that a command is for. */
  readonly id: (command: C) => string;
  /** @throws DomainError when a rule is broken; nothing is recorded then. */
  readonly decide: (command: C, state: S) => readonly E[];
  readonly evolve: (state: S, event: E) => S;
  /**
   * Commands that usually begin a stream. They are decided on `initialState` without reading first; the expected
   * revision `no-stream` guards the guess, and a wrong guess is loaded and decided again.
   */
  readonly opens?: readonly C['type'][];
}

/** A decider whose type parameters do not matter to whoever holds it: a door, a registry. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where variance must be switched off
export type AnyDecider = Decider<any, any, any>;

/** A rule of the domain was broken. `code` is stable and documented in the context's README. */
export class DomainError extends Error {
  override name = 'DomainError';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function foldEvents<S, E extends DomainEvent>(
  decider: Pick<Decider<S, never, E>, 'initialState' | 'evolve'>,
  events: Iterable<E>,
): S {
  let state = decider.initialState;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}

/** Ends a `switch` over a discriminated union: the compiler fails here when a member is not handled. */
export function unreachable(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
