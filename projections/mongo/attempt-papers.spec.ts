import type { AssessmentDefinition, AssessmentPublished } from '../../packages/assessment/assessment.events';
import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import { type DomainEvent, type RecordedEvent } from '../../packages/eventsourcing';
import { givenProjection, recorded } from '../../packages/eventsourcing/testing';
import { assessments } from './assessments';
import { attemptPapers } from './attempt-papers';

const of = { attempt: 'attempt-1', person: 'person-1', course: 'safety', assessment: 'quiz' };
const form = [{ question: 'a', kind: 'numeric', points: 5, options: [], prompts: [] } as const];
const grade = { raw: 5, min: 0, max: 5, scaled: 1, passed: true };
const result = (points: number) => ({ question: 'a', points, max: 5, comment: null });

const started: AttemptEvent = {
  type: 'AttemptStarted',
  data: { ...of, number: 1, assessmentVersion: 2, seed: 1, form, passMark: 0.7, endsAt: null, closesAt: null },
};

function history(...events: DomainEvent[]): RecordedEvent[] {
  return events.map((event, i) => recorded(event, { category: 'any', id: '1', position: i + 1 }));
}

describe('attempt papers', () => {
  const blank = {
    _id: 'attempt-1',
    tenant: 'acme',
    person: 'person-1',
    assessment: 'quiz',
    assessmentVersion: 2,
    status: 'started' as const,
    form,
    answers: [],
    results: [],
    grade: null,
    invalidation: null,
    closesAt: null,
  };

  it('are blank at first', () => givenProjection(attemptPapers, history(started)).thenDocument('attempt-1', blank));

  it('show the newest answer and result of each question, the newest grade, and how it ended', () => {
    const events: AttemptEvent[] = [
      started,
      { type: 'AnswersRecorded', data: { ...of, answers: [{ question: 'a', response: 1 }] } },
      { type: 'AnswersRecorded', data: { ...of, answers: [{ question: 'a', response: 2 }] } },
      { type: 'AttemptSubmitted', data: of },
      { type: 'AnswersGraded', data: { ...of, by: 'key', results: [result(0)] } },
      { type: 'AnswersGraded', data: { ...of, by: 'person', results: [result(5)] } },
      { type: 'AttemptGraded', data: { ...of, grade: { ...grade, passed: false } } },
      { type: 'ScoreOverridden', data: { ...of, grade, previous: null, reason: 'r', approver: 'p' } },
      { type: 'AttemptInvalidated', data: { ...of, reason: 'Copied.' } },
    ];
    givenProjection(attemptPapers, history(...events)).thenDocument('attempt-1', {
      ...blank,
      status: 'ended',
      answers: [{ question: 'a', response: 2 }],
      results: [result(5)],
      grade,
      invalidation: 'Copied.',
    });
  });

  it('that timed out have ended', () => {
    const timedOut: AttemptEvent = { type: 'AttemptTimedOut', data: { ...of, closedAt: '2026-01-01T00:00:00.000Z' } };
    givenProjection(attemptPapers, history(started, timedOut)).thenDocument('attempt-1', { ...blank, status: 'ended' });
  });

  it('are not those of learning apps', () => {
    const events: AttemptEvent[] = [
      { type: 'AttemptRecorded', data: { ...of, banked: false, grade: null } },
      { type: 'AttemptGraded', data: { ...of, grade } },
    ];
    givenProjection(attemptPapers, history(...events)).thenDocument('attempt-1', undefined);
  });
});

it('assessments keep every version, each tenant its own', () => {
  const version = (number: number) => ({ assessment: 'quiz', version: number }) as AssessmentDefinition;
  const published = (number: number): AssessmentPublished => ({ type: 'AssessmentPublished', data: version(number) });
  const elsewhere = recorded(published(1), { category: 'assessment', id: 'quiz', position: 9, tenant: 'globex' });
  const events = [...history(published(1), published(2)), elsewhere];
  givenProjection(assessments, events).thenDocument('acme.quiz', {
    _id: 'acme.quiz',
    tenant: 'acme',
    versions: [version(1), version(2)],
  });
});
