import type { Db } from 'mongodb';
import type { AnswersRecorded, AttemptEvent, Grade, QuestionResult } from '../../packages/assessment/attempt.events';
import { type Document, type Projection, type Recorded, unreachable } from '../../packages/eventsourcing';
import { type Answer, findPage, given, type Page } from './collection';

export interface AttemptDocument extends Document {
  readonly person: string;
  readonly course: string;
  readonly assessment: string;
  /** Counts as an attempt unless it is `started` or `invalidated`. */
  readonly status: 'started' | 'awaiting-grade' | 'graded' | 'invalidated';
  readonly banked: boolean;
  /** Null for an attempt that a learning app recorded. */
  readonly number: number | null;
  readonly startedAt: string | null;
  /** Until when answers count; null for no limit. */
  readonly closesAt: string | null;
  /** When it ended; null while it is being taken. */
  readonly submittedAt: string | null;
  readonly timedOut: boolean;
  readonly grade: Grade | null;
  readonly gradedAt: string | null;
  /** Of each question that has its points. */
  readonly results: readonly QuestionResult[];
  readonly override: { readonly reason: string; readonly approver: string } | null;
  readonly invalidation: string | null;
}

/** Answers are in the read model `attempt-papers`. */
type HandledEvent = Exclude<AttemptEvent, AnswersRecorded>;

/** Each attempt with its standing and grade. */
export const attempts: Projection<AttemptDocument, HandledEvent> = {
  name: 'attempts',
  version: 2,
  handles: [
    'AttemptRecorded',
    'AttemptStarted',
    'AttemptSubmitted',
    'AttemptTimedOut',
    'AnswersGraded',
    'AttemptGraded',
    'ScoreOverridden',
    'AttemptInvalidated',
  ],
  key: ({ data }) => data.attempt,
  evolve: (document, event) => {
    switch (event.type) {
      case 'AttemptRecorded':
      case 'AttemptStarted':
        return begin(event);
      default:
        if (!document) throw new Error(`${event.type} for an attempt that was never recorded`);
        return goOn(document, event);
    }
  },
  indexes: [
    { key: { tenant: 1, person: 1 } },
    { key: { tenant: 1, course: 1 } },
    // For whoever times attempts out.
    { key: { status: 1, closesAt: 1 } },
  ],
};

type Beginning = Extract<AttemptEvent, { type: 'AttemptRecorded' | 'AttemptStarted' }>;

function begin(event: Recorded<Beginning>): AttemptDocument {
  const { tenant, occurredAt } = event.metadata;
  const { attempt, person, course, assessment } = event.data;
  const begun: AttemptDocument = {
    _id: attempt,
    tenant,
    person,
    course,
    assessment,
    status: 'started',
    banked: false,
    number: null,
    startedAt: null,
    closesAt: null,
    submittedAt: null,
    grade: null,
    gradedAt: null,
    timedOut: false,
    results: [],
    override: null,
    invalidation: null,
  };
  if (event.type === 'AttemptStarted') {
    const { number, closesAt } = event.data;
    return { ...begun, number, startedAt: occurredAt, closesAt };
  }
  const { banked, grade } = event.data;
  const status = grade ? 'graded' : 'awaiting-grade';
  return { ...begun, status, banked, submittedAt: occurredAt, grade, gradedAt: grade && occurredAt };
}

function goOn(document: AttemptDocument, event: Recorded<Exclude<HandledEvent, Beginning>>): AttemptDocument {
  const { occurredAt } = event.metadata;
  switch (event.type) {
    case 'AttemptSubmitted':
      return { ...document, status: 'awaiting-grade', submittedAt: occurredAt };
    case 'AttemptTimedOut':
      return { ...document, status: 'awaiting-grade', submittedAt: event.data.closedAt, timedOut: true };
    case 'AnswersGraded': {
      const { results } = event.data;
      const kept = document.results.filter((old) => !results.some(({ question }) => question === old.question));
      return { ...document, results: [...kept, ...results] };
    }
    case 'AttemptGraded':
      return { ...document, status: 'graded', grade: event.data.grade, gradedAt: occurredAt };
    case 'ScoreOverridden': {
      const { grade, reason, approver } = event.data;
      return { ...document, status: 'graded', grade, gradedAt: occurredAt, override: { reason, approver } };
    }
    case 'AttemptInvalidated':
      return { ...document, status: 'invalidated', invalidation: event.data.reason };
    default:
      return unreachable(event);
  }
}

export interface AttemptFilter {
  readonly person?: string | undefined;
  readonly course?: string | undefined;
}

export function findAttempts(
  db: Db,
  tenant: string,
  filter: AttemptFilter,
  page: Page,
): Promise<Answer<AttemptDocument>[]> {
  return findPage(db, attempts, given({ tenant, ...filter }), page);
}
