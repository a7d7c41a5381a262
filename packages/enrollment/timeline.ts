import { isDeepStrictEqual } from 'node:util';
import type { Recertification } from './enrollment.events';
import type { Period } from './requirements';

/** What a rule asks from a day on. */
export interface Terms {
  readonly ruleVersion: number;
  readonly dueOn: string | null;
  readonly recertification: Recertification | null;
}

/** A day on which a rule begins or ceases to require the course. `cause` is the id of the event that brought it about. */
export interface Boundary {
  /** ISO 8601 date. */
  readonly on: string;
  /** Null when it ceases. */
  readonly terms: Terms | null;
  readonly cause: string;
}

/** In the order of days, beginning and ceasing in turn. */
export type Timeline = readonly Boundary[];

/** The boundaries of periods that are disjoint and in order. */
export function timelineOf(periods: readonly Period[]): Timeline {
  return periods.flatMap(({ from, until, cause, endCause, ruleVersion, dueOn, recertification }) => [
    { on: from, terms: { ruleVersion, dueOn, recertification }, cause },
    ...(until === null ? [] : [{ on: until, terms: null, cause: endCause ?? cause }]),
  ]);
}

/** The first day from which on two timelines differ; undefined when they are the same. */
export function firstDifference(a: Timeline, b: Timeline): string | undefined {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (isDeepStrictEqual(left, right)) continue;
    const days = [left?.on, right?.on].filter((on) => on !== undefined);
    return days.sort()[0];
  }
  return undefined;
}

/** What the timeline says just before a day: the terms in force, or null. */
export function termsBefore(timeline: Timeline, day: string): Terms | null {
  return timeline.findLast(({ on }) => on < day)?.terms ?? null;
}

/** The timeline when this is what is known from that day on: whatever stood later falls away. */
export function withBoundary(timeline: Timeline, boundary: Boundary): Timeline {
  const earlier = timeline.filter(({ on }) => on < boundary.on);
  const isSame = (earlier[earlier.length - 1]?.terms != null) === (boundary.terms !== null);
  return isSame ? earlier : [...earlier, boundary];
}
