import { DomainError } from '../eventsourcing';
import type { RecordedAttempt, SatAttempt } from './attempt';

type KnownAttempt = RecordedAttempt | SatAttempt;

/** What every event of an attempt says about it. */
export function takenOf(attempt: string, { person, course, assessment }: KnownAttempt) {
  return { attempt, person, course, assessment };
}

/** @throws DomainError `attempt-invalidated` */
export function refuseInvalidated(attempt: string, { invalidation }: KnownAttempt): void {
  if (invalidation === null) return;
  throw new DomainError('attempt-invalidated', `Attempt ${attempt} was invalidated: ${invalidation}`);
}

/** @throws DomainError when nothing more can be graded: `attempt-invalidated`, `score-overridden` */
export function refuseSettled(attempt: string, state: KnownAttempt): void {
  refuseInvalidated(attempt, state);
  if (!state.override) return;
  throw new DomainError('score-overridden', `The score of attempt ${attempt} was overridden: override it again.`);
}
