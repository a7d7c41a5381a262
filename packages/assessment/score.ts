import { DomainError } from '../eventsourcing';
import type { Grade } from './attempt.events';

/** A score in its own units, and the raw score from which it counts as passed. */
export interface ScoreData {
  raw: number;
  min?: number;
  max: number;
  passMark: number;
}

/** @throws DomainError `score-range` */
export function gradeOfScore({ raw, min = 0, max, passMark }: ScoreData): Grade {
  if (!(min < max)) throw new DomainError('score-range', `The score's max ${max} must be above its min ${min}.`);
  if (raw < min || raw > max) throw new DomainError('score-range', `The score ${raw} must lie in ${min} to ${max}.`);
  return { raw, min, max, scaled: (raw - min) / (max - min), passed: raw >= passMark };
}
