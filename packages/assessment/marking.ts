import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '../eventsourcing';
import type { AttemptCommandData, RecordedAttempt, SatAttempt } from './attempt';
import type { AnswersGraded, AttemptEvent, QuestionResult } from './attempt.events';
import { gradeOfResults, inHundredths } from './grading';
import { byQuestion } from './response';
import { refuseSettled, takenOf } from './standing';

/** A person gives points to answers, those that wait for it above all, until the attempt has its grade. */
export function gradeAnswersByPerson(
  attempt: string,
  given: AttemptCommandData['GradeAnswers']['results'],
  state: RecordedAttempt | SatAttempt,
): readonly AttemptEvent[] {
  if (state.status === 'recorded') {
    throw new DomainError('attempt-without-answers', `The answers of attempt ${attempt} are in its learning app.`);
  }
  if (state.status === 'started') throw new DomainError('attempt-open', `Attempt ${attempt} is still being taken.`);
  const results = byQuestion(
    [],
    given.map((result) => resultOf(result, state)),
  );
  const changed = results.filter(
    (result) =>
      !isDeepStrictEqual(
        result,
        state.results.find(({ question }) => question === result.question),
      ),
  );
  if (changed.length === 0) return [];
  refuseSettled(attempt, state);
  if (state.grade)
    throw new DomainError('attempt-already-graded', `Attempt ${attempt} is already graded: override its score.`);
  return gradedEvents(attempt, state, 'person', changed);
}

/** What follows from new results: the results, and the grade once every question has one. */
export function gradedEvents(
  attempt: string,
  state: SatAttempt,
  by: AnswersGraded['data']['by'],
  results: readonly QuestionResult[],
): readonly AttemptEvent[] {
  const taken = takenOf(attempt, state);
  const grade = gradeOfResults(state.form, byQuestion(state.results, results), state.passMark);
  return [
    ...(results.length > 0 ? [{ type: 'AnswersGraded', data: { ...taken, by, results } } as const] : []),
    ...(grade ? [{ type: 'AttemptGraded', data: { ...taken, grade } } as const] : []),
  ];
}

function resultOf(
  { question, points, comment = null }: { question: string; points: number; comment?: string | null },
  { form }: SatAttempt,
): QuestionResult {
  const asked = form.find((each) => each.question === question);
  if (!asked) throw new DomainError('question-unknown', `Question ${question} is not in the form.`);
  if (!(points >= 0 && points <= asked.points)) {
    throw new DomainError('points-range', `Question ${question} gives 0 to ${asked.points} points.`);
  }
  return { question, points: inHundredths(points), max: asked.points, comment };
}
