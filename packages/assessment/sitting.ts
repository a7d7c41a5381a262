import { isDeepStrictEqual } from 'node:util';
import { type Command, DomainError } from '../eventsourcing';
import type { AssessmentDefinition } from './assessment.events';
import type { Attempt, AttemptCommandData, SatAttempt } from './attempt';
import type { Answer, AttemptEvent } from './attempt.events';
import { drawForm } from './form';
import { gradeAnswers } from './grading';
import { gradedEvents } from './marking';
import { byQuestion, isAnswerTo, plainResponse } from './response';
import { refuseInvalidated, takenOf } from './standing';

/** An attempt begins: the newest version's form is drawn and its limits fixed as points in time. */
export function start(
  attempt: string,
  { person, assessment, number, seed, published }: AttemptCommandData['StartAttempt'],
  at: string,
  state: Attempt,
): readonly AttemptEvent[] {
  if (state.status === 'recorded') {
    throw new DomainError('attempt-id-taken', `Attempt ${attempt} was recorded by a learning app.`);
  }
  if (state.status !== 'none') {
    refuseInvalidated(attempt, state);
    return [];
  }
  const definition = published.at(-1);
  if (!definition) throw unknownAssessment(assessment);
  const { version: assessmentVersion, course, passMark, attemptsAllowed, closesAt } = definition;
  if (!Number.isInteger(number) || number < 1) {
    throw new DomainError('attempt-number', `Attempts are numbered 1, 2, and so on: ${number} is none.`);
  }
  if (number > (attemptsAllowed ?? Infinity)) {
    throw new DomainError('attempts-exhausted', `Assessment ${assessment} allows ${attemptsAllowed} attempts.`);
  }
  if (closesAt !== null && isAfter(at, closesAt)) {
    throw new DomainError('assessment-closed', `Assessment ${assessment} closed at ${closesAt}.`);
  }
  const form = drawForm(definition, seed);
  const data = { attempt, person, course, assessment, number, assessmentVersion, seed, form, passMark };
  return [{ type: 'AttemptStarted', data: { ...data, ...limits(definition, at) } }];
}

/** Answers are given or changed, as long as they count. */
export function answerQuestions(
  attempt: string,
  given: readonly Answer[],
  at: string,
  state: Attempt,
): readonly AttemptEvent[] {
  const open = openAttempt(attempt, state);
  if (isOver(open, at)) throw new DomainError('attempt-time-over', `The time of attempt ${attempt} is over.`);
  const changed = changedAnswers(given, open);
  return changed.length === 0
    ? []
    : [{ type: 'AnswersRecorded', data: { ...takenOf(attempt, open), answers: changed } }];
}

type End = Command<'SubmitAttempt' | 'TimeOutAttempt', AttemptCommandData['SubmitAttempt']>;

/**
 * An attempt ends and what needs no person is graded. Whoever submits too late gets what was answered in time. An attempt ends
 * once: ending it again changes nothing.
 */
export function end(attempt: string, { type, data, at }: End, state: Attempt): readonly AttemptEvent[] {
  if (state.status === 'ended') return [];
  const open = openAttempt(attempt, state);
  const questions = data.published.find(({ version }) => version === open.assessmentVersion)?.questions;
  if (!questions) throw unknownAssessment(data.assessment);
  const taken = takenOf(attempt, open);
  if (isOver(open, at)) {
    const results = gradeAnswers(questions, open.form, open.answers);
    const closed = { type: 'AttemptTimedOut', data: { ...taken, closedAt: open.closesAt! } } as const;
    return [closed, ...gradedEvents(attempt, open, 'key', results)];
  }
  if (type === 'TimeOutAttempt') {
    throw new DomainError(
      'attempt-not-over',
      `Attempt ${attempt} has time until ${open.closesAt ?? 'it is submitted'}.`,
    );
  }
  const changed = changedAnswers(data.answers ?? [], open);
  const results = gradeAnswers(questions, open.form, byQuestion(open.answers, changed));
  return [
    ...(changed.length > 0 ? [{ type: 'AnswersRecorded', data: { ...taken, answers: changed } } as const] : []),
    { type: 'AttemptSubmitted', data: taken },
    ...gradedEvents(attempt, open, 'key', results),
  ];
}

function limits(definition: AssessmentDefinition, at: string): { endsAt: string | null; closesAt: string | null } {
  const { timeLimitSeconds, graceSeconds, closesAt: closing } = definition;
  const after = (seconds: number): string => {
    const time = new Date(Date.parse(at) + seconds * 1000).toISOString();
    return closing !== null && isAfter(time, closing) ? closing : time;
  };
  if (timeLimitSeconds === null) return { endsAt: closing, closesAt: closing };
  return { endsAt: after(timeLimitSeconds), closesAt: after(timeLimitSeconds + graceSeconds) };
}

function openAttempt(attempt: string, state: Attempt): SatAttempt {
  switch (state.status) {
    case 'none':
    case 'recorded':
      throw new DomainError('attempt-not-started', `Attempt ${attempt} was never started.`);
    case 'ended':
      throw new DomainError('attempt-ended', `Attempt ${attempt} has ended: its answers stand.`);
    case 'started':
      refuseInvalidated(attempt, state);
      return state;
  }
}

function isOver({ closesAt }: SatAttempt, at: string): boolean {
  return closesAt !== null && isAfter(at, closesAt);
}

function isAfter(time: string, other: string): boolean {
  return Date.parse(time) > Date.parse(other);
}

function changedAnswers(given: readonly Answer[], { form, answers }: SatAttempt): readonly Answer[] {
  const recordable = given.map(({ question, response }) => {
    const asked = form.find((each) => each.question === question);
    if (!asked) throw new DomainError('question-unknown', `Question ${question} is not in the form.`);
    if (!isAnswerTo(asked, response)) {
      throw new DomainError('answer-malformed', `This is no answer to the ${asked.kind} question ${question}.`);
    }
    return { question, response: plainResponse(response) };
  });
  const responseTo = (question: string) => answers.find((each) => each.question === question)?.response ?? null;
  return byQuestion([], recordable).filter(
    ({ question, response }) => !isDeepStrictEqual(response, responseTo(question)),
  );
}

function unknownAssessment(assessment: string): DomainError {
  return new DomainError('assessment-unknown', `Assessment ${assessment} was not published, or not in this version.`);
}
