import { isDeepStrictEqual } from 'node:util';
import { type Command, type Decider, DomainError, unreachable } from '../eventsourcing';
import type { AttemptEvent, Grade } from './attempt.events';

export type Attempt =
  | { readonly status: 'none' }
  | {
      readonly status: 'recorded';
      readonly person: string;
      readonly course: string;
      readonly assessment: string;
      readonly grade: Grade | null;
    };

const initialState: Attempt = { status: 'none' };

/** A score in the learning app's own units, and the raw score from which it counts as passed. */
export interface ScoreData {
  raw: number;
  min?: number;
  max: number;
  passMark: number;
}

export interface AttemptCommandData {
  RecordAttempt: {
    attempt: string;
    person: string;
    course: string;
    assessment: string;
    banked?: boolean;
    score?: ScoreData;
  };
  GradeAttempt: { attempt: string; score: ScoreData };
}

export type AttemptCommand = {
  [Type in keyof AttemptCommandData]: Command<Type, AttemptCommandData[Type]>;
}[keyof AttemptCommandData];

function decide(command: AttemptCommand, state: Attempt): readonly AttemptEvent[] {
  const { attempt } = command.data;
  switch (command.type) {
    case 'RecordAttempt': {
      const { person, course, assessment, banked = false, score } = command.data;
      const grade = score ? gradeOf(score) : null;
      if (state.status === 'none') {
        return [{ type: 'AttemptRecorded', data: { attempt, person, course, assessment, banked, grade } }];
      }
      if (state.person !== person || state.course !== course || state.assessment !== assessment) {
        throw new DomainError('attempt-id-taken', `Attempt ${attempt} is another attempt: use a new id.`);
      }
      if (grade && !isDeepStrictEqual(grade, state.grade)) {
        throw new DomainError('attempt-already-recorded', `Attempt ${attempt} is recorded with another score.`);
      }
      return [];
    }
    case 'GradeAttempt': {
      if (state.status === 'none') throw new DomainError('attempt-unknown', `Attempt ${attempt} was never recorded.`);
      const grade = gradeOf(command.data.score);
      if (state.grade) {
        if (isDeepStrictEqual(grade, state.grade)) return [];
        throw new DomainError('attempt-already-graded', `Attempt ${attempt} is already graded.`);
      }
      const { person, course, assessment } = state;
      return [{ type: 'AttemptGraded', data: { attempt, person, course, assessment, grade } }];
    }
    default:
      return unreachable(command);
  }
}

function gradeOf({ raw, min = 0, max, passMark }: ScoreData): Grade {
  if (!(min < max)) throw new DomainError('score-range', `The score's max ${max} must be above its min ${min}.`);
  if (raw < min || raw > max) throw new DomainError('score-range', `The score ${raw} must lie in ${min} to ${max}.`);
  return { raw, min, max, scaled: (raw - min) / (max - min), passed: raw >= passMark };
}

function evolve(state: Attempt, event: AttemptEvent): Attempt {
  switch (event.type) {
    case 'AttemptRecorded': {
      const { person, course, assessment, grade } = event.data;
      return { status: 'recorded', person, course, assessment, grade };
    }
    case 'AttemptGraded':
      return state.status === 'none' ? state : { ...state, grade: event.data.grade };
    default:
      return unreachable(event);
  }
}

export const attemptDecider: Decider<Attempt, AttemptCommand, AttemptEvent> = {
  category: 'attempt',
  initialState,
  id: ({ data }) => data.attempt,
  decide,
  evolve,
  opens: ['RecordAttempt'],
};
