import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { RecordedEvent } from '../../packages/eventsourcing';
import { givenProjection, recorded } from '../../packages/eventsourcing/testing';
import { expectedCourseOutcomes } from '../expected-reports';
import { type AttemptDocument, attempts } from './attempts';
import { transcripts } from './transcripts';

const person = 'person-1';
const of = { attempt: 'attempt-1', person, course: 'safety', assessment: 'quiz' };
const grade = { raw: 8, min: 0, max: 10, scaled: 0.8, passed: true };
const lower = { raw: 5, min: 0, max: 10, scaled: 0.5, passed: false };
const day = (n: number): string => `2026-01-0${n}T00:00:00.000Z`;

const started: AttemptEvent = {
  type: 'AttemptStarted',
  data: {
    ...of,
    number: 1,
    assessmentVersion: 1,
    seed: 1,
    form: [],
    passMark: 0.7,
    endsAt: day(7),
    closesAt: day(8),
  },
};
const submitted: AttemptEvent = { type: 'AttemptSubmitted', data: of };
const timedOut: AttemptEvent = { type: 'AttemptTimedOut', data: { ...of, closedAt: day(8) } };
const result = (question: string, points: number, comment: string | null = null) => ({
  question,
  points,
  max: 5,
  comment,
});
const byKey: AttemptEvent = {
  type: 'AnswersGraded',
  data: { ...of, by: 'key', results: [result('a', 5), result('b', 0)] },
};
const byPerson: AttemptEvent = {
  type: 'AnswersGraded',
  data: { ...of, by: 'person', results: [result('b', 3, 'Well.')] },
};
const graded: AttemptEvent = { type: 'AttemptGraded', data: { ...of, grade } };
const overridden: AttemptEvent = {
  type: 'ScoreOverridden',
  data: { ...of, grade: lower, previous: grade, reason: 'Question b was wrong.', approver: 'boss-1' },
};
const invalidated: AttemptEvent = { type: 'AttemptInvalidated', data: { ...of, reason: 'Copied.' } };

/** The events of a test, one a day from the first. */
function history(...events: AttemptEvent[]): RecordedEvent[] {
  return events.map((event, i) =>
    recorded(event, { category: 'attempt', id: of.attempt, position: i + 1, occurredAt: day(i + 1) }),
  );
}

describe('attempts', () => {
  const document: AttemptDocument = {
    _id: of.attempt,
    tenant: 'acme',
    person,
    course: 'safety',
    assessment: 'quiz',
    status: 'started',
    banked: false,
    number: 1,
    startedAt: day(1),
    closesAt: day(8),
    submittedAt: null,
    timedOut: false,
    grade: null,
    gradedAt: null,
    results: [],
    override: null,
    invalidation: null,
  };
  const ended = { status: 'awaiting-grade', submittedAt: day(2) } as const;
  const results = [result('a', 5), result('b', 0)];

  it.each<[string, AttemptEvent[], Partial<AttemptDocument>]>([
    ['is being taken', [], {}],
    ['was submitted', [submitted], ended],
    ['timed out', [timedOut], { ...ended, submittedAt: day(8), timedOut: true }],
    ['waits for a person', [submitted, byKey], { ...ended, results }],
    [
      'was graded',
      [submitted, byKey, byPerson, graded],
      { ...ended, results: [result('a', 5), result('b', 3, 'Well.')], status: 'graded', grade, gradedAt: day(5) },
    ],
    [
      'was overridden',
      [submitted, graded, overridden],
      {
        ...ended,
        status: 'graded',
        grade: lower,
        gradedAt: day(4),
        override: { reason: 'Question b was wrong.', approver: 'boss-1' },
      },
    ],
    [
      'was invalidated',
      [submitted, graded, invalidated],
      { ...ended, status: 'invalidated', grade, gradedAt: day(3), invalidation: 'Copied.' },
    ],
  ])('shows one that %s', (_, events, change) => {
    givenProjection(attempts, history(started, ...events)).thenDocument(of.attempt, { ...document, ...change });
  });
});

describe('transcripts', () => {
  const shows = (events: AttemptEvent[], attempt: object | undefined) =>
    givenProjection(transcripts, history(...events)).thenDocument(
      person,
      attempt &&
        (expect.objectContaining({
          courses: { safety: expect.objectContaining({ attempts: { 'attempt-1': attempt } }) as never },
        }) as never),
    );
  const taken = { assessment: 'quiz', submittedAt: day(2), scaled: null, passed: null };

  it('leave out an attempt that is being taken', () => shows([started], undefined));
  it('show an attempt that waits for its grade', () =>
    shows([started, submitted, byKey], { ...taken, status: 'awaiting-grade' }));
  it('show an attempt that timed out', () =>
    shows([started, timedOut], { ...taken, status: 'awaiting-grade', submittedAt: day(8) }));
  it('show the newest score', () => {
    shows([started, submitted, graded], { ...taken, status: 'graded', scaled: 0.8, passed: true });
    shows([started, submitted, graded, overridden], { ...taken, status: 'graded', scaled: 0.5, passed: false });
  });
  it('show no score of an attempt that was invalidated', () =>
    shows([started, submitted, graded, invalidated], { ...taken, status: 'invalidated' }));
});

it('attempts that are being taken or were invalidated do not count', () => {
  const document = { course: 'safety', grade } as AttemptDocument;
  const all = (['started', 'awaiting-grade', 'graded', 'invalidated'] as const).map((status) => ({
    ...document,
    status,
    grade: status === 'graded' || status === 'invalidated' ? grade : null,
  }));
  expect(expectedCourseOutcomes([], all)).toEqual([
    {
      course: 'safety',
      enrolled: 0,
      withdrawn: 0,
      completed: 0,
      failed: 0,
      attempts: 2,
      graded: 1,
      passed: 1,
      meanScore: 8,
    },
  ]);
  expect(expectedCourseOutcomes([], [{ ...document, status: 'started' }])).toEqual([]);
});
