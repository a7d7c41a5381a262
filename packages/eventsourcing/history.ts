import { isDeepStrictEqual } from 'node:util';

/** A value that holds from a day on. */
export interface Dated<V> {
  /** ISO 8601 date. */
  readonly on: string;
  readonly value: V;
  /** Of two facts of one day the one with the higher rank holds, in whatever order they arrive: a role change on the day of the hire. */
  readonly rank: number;
}

/**
 * A history with one more fact, in the order of days. Of two with the same day and rank the later one counts; one that says
 * what is known of its day already changes nothing.
 */
export function withDated<F extends Dated<unknown>>(history: readonly F[], fact: F): readonly F[] {
  const known = history.find(({ on }) => on === fact.on);
  if (known && (known.rank > fact.rank || isDeepStrictEqual(known.value, fact.value))) return history;
  const others = known ? history.filter((each) => each !== known) : history;
  const later = others.findIndex(({ on }) => on > fact.on);
  return later < 0 ? [...others, fact] : [...others.slice(0, later), fact, ...others.slice(later)];
}

/** The fact that holds on a day; undefined before the first. */
export function datedOn<F extends Dated<unknown>>(history: readonly F[], day: string): F | undefined {
  return history.findLast(({ on }) => on <= day);
}
