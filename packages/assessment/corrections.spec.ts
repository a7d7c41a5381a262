import { given } from '../eventsourcing/testing';
import type { AttemptCommand } from './attempt';
import { attemptDecider, attemptIdOf } from './attempt.decider';
import type { AttemptEvent, Grade } from './attempt.events';
import { definitionOf } from './definition';
import { firstAid } from './testing/first-aid';

const at = '2026-03-01T09:30:00.000Z';
const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const approver = '3d2f8c11-52a5-5f0e-8a43-6a1f0b0e8b6a';
const { assessment, course } = firstAid;
const sitting = { person, assessment, number: 1 };
const attempt = attemptIdOf(sitting);
const of = { attempt, person, course, assessment };
const published = [definitionOf(firstAid, 1)];

const score = { raw: 8, max: 10, passMark: 6 };
const grade: Grade = { raw: 8, min: 0, max: 10, scaled: 0.8, passed: true };
const waiting: AttemptEvent = { type: 'AttemptRecorded', data: { ...of, banked: false, grade: null } };
const recorded: AttemptEvent = { type: 'AttemptRecorded', data: { ...of, banked: false, grade } };
const graded: AttemptEvent = { type: 'AttemptGraded', data: { ...of, grade } };

const start: AttemptCommand = { type: 'StartAttempt', at, data: { ...sitting, seed: 1, published } };
const [started] = attemptDecider.decide(start, attemptDecider.initialState) as [AttemptEvent];
const submitted: AttemptEvent = { type: 'AttemptSubmitted', data: of };

const record = (data: object = {}): AttemptCommand => ({ type: 'RecordAttempt', at, data: { ...of, ...data } });
const gradeWhole = (change: object = {}): AttemptCommand => ({ type: 'GradeAttempt', at, data: { attempt, score: { ...score, ...change } } }); // prettier-ignore
const override = (change: object = {}): AttemptCommand => ({
  type: 'OverrideScore',
  at,
  data: { attempt, score, reason: 'Question 3 was wrong.', approver, ...change },
});
const overridden = (previous: Grade | null, to = grade): AttemptEvent => ({
  type: 'ScoreOverridden',
  data: { ...of, grade: to, previous, reason: 'Question 3 was wrong.', approver },
});
const invalidate = (reason = 'Taken by somebody else.'): AttemptCommand => ({
  type: 'InvalidateAttempt',
  at,
  data: { attempt, reason },
});
const invalidated: AttemptEvent = { type: 'AttemptInvalidated', data: { ...of, reason: 'Taken by somebody else.' } };

describe('an attempt of a learning app', () => {
  it('is recorded with its score', () => given(attemptDecider).when(record({ score })).then(recorded));
  it('is recorded without one, and graded later', () => {
    given(attemptDecider).when(record()).then(waiting);
    given(attemptDecider, [waiting]).when(gradeWhole()).then(graded);
  });
  it('recorded again is left as it is', () => {
    given(attemptDecider, [recorded]).when(record({ score })).thenNothing();
    given(attemptDecider, [recorded]).when(record()).thenNothing();
    given(attemptDecider, [waiting, graded]).when(record({ score })).thenNothing();
    given(attemptDecider, [waiting, graded]).when(gradeWhole()).thenNothing();
  });
  it('recorded again is left as it is, overridden or invalidated', () => {
    given(attemptDecider, [recorded, overridden(grade)])
      .when(record({ score }))
      .thenNothing();
    given(attemptDecider, [recorded, invalidated]).when(record({ score })).thenNothing();
  });
  it('is not recorded otherwise', () => {
    given(attemptDecider, [recorded])
      .when(record({ score: { ...score, raw: 9 } }))
      .thenRefused('attempt-already-recorded');
    for (const other of [{ person: approver }, { course: 'other' }, { assessment: 'other' }]) {
      given(attemptDecider, [recorded])
        .when(record({ score, ...other }))
        .thenRefused('attempt-id-taken');
    }
  });
  it('is not graded otherwise, nor before it is recorded', () => {
    given(attemptDecider, [waiting, graded])
      .when(gradeWhole({ raw: 9 }))
      .thenRefused('attempt-already-graded');
    given(attemptDecider).when(gradeWhole()).thenRefused('attempt-unknown');
  });
  it('has a score within its bounds', () => {
    for (const bad of [{ raw: 11 }, { raw: -1 }, { raw: 0, max: 0 }, { min: 9 }]) {
      given(attemptDecider)
        .when(record({ score: { ...score, ...bad } }))
        .thenRefused('score-range');
    }
  });
  it('is not taken here under the same id', () => {
    given(attemptDecider, [recorded]).when(start).thenRefused('attempt-id-taken');
    given(attemptDecider, [recorded])
      .when({ type: 'RecordAnswers', at, data: { ...sitting, answers: [] } })
      .thenRefused('attempt-not-started');
  });
});

describe('a score', () => {
  it('is overridden with a reason and who approved it', () => {
    given(attemptDecider, [waiting]).when(override()).then(overridden(null));
    given(attemptDecider, [recorded]).when(override()).then(overridden(grade));
  });
  it('is overridden again with another reason', () => {
    const reason = 'Question 4 too.';
    given(attemptDecider, [recorded, overridden(grade)])
      .when(override({ reason, score: { ...score, raw: 9 } }))
      .then({
        type: 'ScoreOverridden',
        data: { ...of, grade: { ...grade, raw: 9, scaled: 0.9 }, previous: grade, reason, approver },
      });
  });
  it('is not approved by whose score it is', () =>
    given(attemptDecider, [recorded])
      .when(override({ approver: person }))
      .thenRefused('approver-is-learner'));
  it('keeps the scale of the form, when the attempt was taken here', () => {
    given(attemptDecider, [started, submitted]).when(override()).thenRefused('score-scale');
    given(attemptDecider, [started, submitted])
      .when(override({ score: { raw: 16, max: 20, passMark: 14 } }))
      .then(overridden(null, { raw: 16, min: 0, max: 20, scaled: 0.8, passed: true }));
  });
  it.each([
    ['unknown', [], 'attempt-unknown'],
    ['open', [started], 'attempt-open'],
    ['invalidated', [recorded, invalidated], 'attempt-invalidated'],
  ] as const)('is not overridden while the attempt is %s', (_, history, code) =>
    given(attemptDecider, history).when(override()).thenRefused(code),
  );
  it('that was overridden is not graded any more', () => {
    given(attemptDecider, [waiting, overridden(null)])
      .when(gradeWhole())
      .thenRefused('score-overridden');
    given(attemptDecider, [started, submitted, overridden(null)])
      .when({ type: 'GradeAnswers', at, data: { attempt, results: [{ question: 'story', points: 1 }] } })
      .thenRefused('score-overridden');
  });
});

describe('an attempt that is invalidated', () => {
  it.each([
    ['recorded', [recorded]],
    ['started', [started]],
    ['submitted', [started, submitted]],
    ['overridden', [recorded, overridden(grade)]],
  ] as const)('may be %s', (_, history) => given(attemptDecider, history).when(invalidate()).then(invalidated));
  it('has existed, and keeps its reason', () => {
    given(attemptDecider).when(invalidate()).thenRefused('attempt-unknown');
    given(attemptDecider, [recorded, invalidated]).when(invalidate('Another.')).thenRefused('attempt-invalidated');
  });
  it('takes no answer, no grade and no new start', () => {
    const history = [started, invalidated];
    const answers = [{ question: 'story', response: 'x' }];
    for (const command of [
      start,
      { type: 'RecordAnswers', at, data: { ...sitting, answers } },
      { type: 'SubmitAttempt', at, data: { ...sitting, published } },
    ] as const) {
      given(attemptDecider, history).when(command).thenRefused('attempt-invalidated');
    }
    given(attemptDecider, [waiting, invalidated]).when(gradeWhole()).thenRefused('attempt-invalidated');
  });
  it('and was submitted before, is submitted again without effect', () =>
    given(attemptDecider, [started, submitted, invalidated])
      .when({ type: 'SubmitAttempt', at, data: { ...sitting, published } })
      .thenNothing());
});
