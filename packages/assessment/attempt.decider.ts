import { isDeepStrictEqual } from 'node:util';
import { type Decider, derivedId, DomainError, unreachable } from '../eventsourcing';
import type { Attempt, AttemptCommand, AttemptCommandData, RecordedAttempt, SatAttempt, Sitting } from './attempt';
import type { AnswersGraded, AnswersRecorded, AttemptEvent, AttemptSubmitted, AttemptTimedOut } from './attempt.events';
import { pointsOf } from './form';
import { gradeAnswersByPerson } from './marking';
import { byQuestion } from './response';
import { gradeOfScore } from './score';
import { answerQuestions, end, start } from './sitting';
import { refuseInvalidated, refuseSettled, takenOf } from './standing';

const initialState: Attempt = { status: 'none' };

/**
 * One attempt per person, assessment and number, whatever the version: with numbers up to the attempts allowed, there can be no
 * more attempts than that, and nobody has to count them.
 */
export function attemptIdOf({ person, assessment, number }: Sitting): string {
  return derivedId('attempt', person, assessment, number);
}

function idOf({ data }: AttemptCommand): string {
  return 'attempt' in data ? data.attempt : attemptIdOf(data);
}

function decide(command: AttemptCommand, state: Attempt): readonly AttemptEvent[] {
  const attempt = idOf(command);
  switch (command.type) {
    case 'RecordAttempt':
      return record(command.data, state);
    case 'StartAttempt':
      return start(attempt, command.data, command.at, state);
    case 'RecordAnswers':
      return answerQuestions(attempt, command.data.answers, command.at, state);
    case 'SubmitAttempt':
    case 'TimeOutAttempt':
      return end(attempt, command, state);
    case 'GradeAttempt':
      return grade(command.data, known(attempt, state));
    case 'GradeAnswers':
      return gradeAnswersByPerson(attempt, command.data.results, known(attempt, state));
    case 'OverrideScore':
      return override(command.data, known(attempt, state));
    case 'InvalidateAttempt':
      return invalidate(command.data, known(attempt, state));
    default:
      return unreachable(command);
  }
}

function known(attempt: string, state: Attempt): RecordedAttempt | SatAttempt {
  if (state.status === 'none') throw new DomainError('attempt-unknown', `Attempt ${attempt} was never recorded.`);
  return state;
}

function record(data: AttemptCommandData['RecordAttempt'], state: Attempt): readonly AttemptEvent[] {
  const { attempt, person, course, assessment, banked = false, score } = data;
  const grade = score ? gradeOfScore(score) : null;
  if (state.status === 'none') {
    return [{ type: 'AttemptRecorded', data: { attempt, person, course, assessment, banked, grade } }];
  }
  const same = state.person === person && state.course === course && state.assessment === assessment;
  if (!same || state.status !== 'recorded') {
    throw new DomainError('attempt-id-taken', `Attempt ${attempt} is another attempt: use a new id.`);
  }
  if (grade && !isDeepStrictEqual(grade, state.grade)) {
    throw new DomainError('attempt-already-recorded', `Attempt ${attempt} is recorded with another score.`);
  }
  return [];
}

function grade(
  { attempt, score }: AttemptCommandData['GradeAttempt'],
  state: RecordedAttempt | SatAttempt,
): readonly AttemptEvent[] {
  if (state.status !== 'recorded') {
    throw new DomainError('attempt-graded-here', `Attempt ${attempt} was taken here: grade its answers.`);
  }
  const grade = gradeOfScore(score);
  if (state.grade) {
    if (isDeepStrictEqual(grade, state.grade)) return [];
    throw new DomainError('attempt-already-graded', `Attempt ${attempt} is already graded.`);
  }
  refuseSettled(attempt, state);
  return [{ type: 'AttemptGraded', data: { ...takenOf(attempt, state), grade } }];
}

function override(
  { attempt, score, reason, approver }: AttemptCommandData['OverrideScore'],
  state: RecordedAttempt | SatAttempt,
): readonly AttemptEvent[] {
  const grade = gradeOfScore(score);
  if (isDeepStrictEqual(state.override, { grade, reason, approver })) return [];
  refuseInvalidated(attempt, state);
  if (state.status === 'started') throw new DomainError('attempt-open', `Attempt ${attempt} is still being taken.`);
  if (state.status === 'ended' && (grade.min !== 0 || grade.max !== pointsOf(state.form))) {
    throw new DomainError('score-scale', `The score of attempt ${attempt} runs from 0 to ${pointsOf(state.form)}.`);
  }
  if (approver === state.person) {
    throw new DomainError('approver-is-learner', 'Nobody approves a change of their own score.');
  }
  const previous = state.override?.grade ?? state.grade;
  return [{ type: 'ScoreOverridden', data: { ...takenOf(attempt, state), grade, previous, reason, approver } }];
}

function invalidate(
  { attempt, reason }: AttemptCommandData['InvalidateAttempt'],
  state: RecordedAttempt | SatAttempt,
): readonly AttemptEvent[] {
  if (state.invalidation === reason) return [];
  refuseInvalidated(attempt, state);
  return [{ type: 'AttemptInvalidated', data: { ...takenOf(attempt, state), reason } }];
}

function evolve(state: Attempt, event: AttemptEvent): Attempt {
  switch (event.type) {
    case 'AttemptRecorded': {
      const { person, course, assessment, grade } = event.data;
      return { status: 'recorded', person, course, assessment, grade, override: null, invalidation: null };
    }
    case 'AttemptStarted': {
      const { person, course, assessment, number, assessmentVersion, form, passMark, closesAt } = event.data;
      const taken = { person, course, assessment, grade: null, override: null, invalidation: null };
      const paper = { number, assessmentVersion, form, passMark, closesAt };
      return { status: 'started', ...taken, ...paper, answers: [], results: [] };
    }
    default:
      return state.status === 'none' ? state : evolveKnown(state, event);
  }
}

function evolveKnown(
  state: RecordedAttempt | SatAttempt,
  event: Exclude<AttemptEvent, { type: 'AttemptRecorded' | 'AttemptStarted' }>,
): Attempt {
  switch (event.type) {
    case 'AnswersRecorded':
    case 'AttemptSubmitted':
    case 'AttemptTimedOut':
    case 'AnswersGraded':
      return state.status === 'recorded' ? state : evolveSat(state, event);
    case 'AttemptGraded':
      return { ...state, grade: event.data.grade };
    case 'ScoreOverridden': {
      const { grade, reason, approver } = event.data;
      return { ...state, override: { grade, reason, approver } };
    }
    case 'AttemptInvalidated':
      return { ...state, invalidation: event.data.reason };
    default:
      return unreachable(event);
  }
}

function evolveSat(
  state: SatAttempt,
  event: AnswersRecorded | AttemptSubmitted | AttemptTimedOut | AnswersGraded,
): SatAttempt {
  switch (event.type) {
    case 'AnswersRecorded':
      return { ...state, answers: byQuestion(state.answers, event.data.answers) };
    case 'AttemptSubmitted':
    case 'AttemptTimedOut':
      return { ...state, status: 'ended' };
    case 'AnswersGraded':
      return { ...state, results: byQuestion(state.results, event.data.results) };
    default:
      return unreachable(event);
  }
}

export const attemptDecider: Decider<Attempt, AttemptCommand, AttemptEvent> = {
  category: 'attempt',
  initialState,
  id: idOf,
  decide,
  evolve,
  opens: ['RecordAttempt', 'StartAttempt'],
};
