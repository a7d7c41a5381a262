import type { Db } from 'mongodb';
import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { type Document, type Projection, type Recorded, unreachable } from '../../packages/eventsourcing';
import { type Answer, findOne } from './collection';

export interface TranscriptCourse {
  readonly status: 'open' | 'withdrawn' | 'completed' | 'failed' | 'not-enrolled';
  readonly enrolledAt: string | null;
  readonly endedAt: string | null;
  readonly result: string | null;
  /** Latest state of each attempt, by attempt id. */
  readonly attempts: Readonly<Record<string, TranscriptAttempt>>;
}

export interface TranscriptAttempt {
  readonly assessment: string;
  readonly status: 'awaiting-grade' | 'graded' | 'invalidated';
  readonly submittedAt: string;
  readonly scaled: number | null;
  readonly passed: boolean | null;
}

export interface TranscriptDocument extends Document {
  /** By course id. */
  readonly courses: Readonly<Record<string, TranscriptCourse>>;
}

/** What of an attempt makes its result; one that is still being taken is not on the page. */
type AttemptResultEvent = Extract<
  AttemptEvent,
  {
    type:
      | 'AttemptRecorded'
      | 'AttemptSubmitted'
      | 'AttemptTimedOut'
      | 'AttemptGraded'
      | 'ScoreOverridden'
      | 'AttemptInvalidated';
  }
>;
type TranscriptEvent = EnrollmentEvent | AttemptResultEvent;

const NOT_ENROLLED: TranscriptCourse = {
  status: 'not-enrolled',
  enrolledAt: null,
  endedAt: null,
  result: null,
  attempts: {},
};

/** Everything a person took part in, on one page. */
export const transcripts: Projection<TranscriptDocument, TranscriptEvent> = {
  name: 'transcripts',
  version: 2,
  handles: [
    'LearnerEnrolled',
    'LearnerWithdrawn',
    'EnrollmentCompleted',
    'EnrollmentFailed',
    'AttemptRecorded',
    'AttemptSubmitted',
    'AttemptTimedOut',
    'AttemptGraded',
    'ScoreOverridden',
    'AttemptInvalidated',
  ],
  key: ({ data }) => data.person,
  evolve: (document, event) => {
    const { person, course } = event.data;
    // A course may be called `constructor`.
    const known = document && Object.hasOwn(document.courses, course);
    const before = (known && document.courses[course]) || NOT_ENROLLED;
    return {
      _id: person,
      tenant: event.metadata.tenant,
      courses: { ...document?.courses, [course]: evolveCourse(before, event) },
    };
  },
  indexes: [],
};

function evolveCourse(course: TranscriptCourse, event: Recorded<TranscriptEvent>): TranscriptCourse {
  const { occurredAt } = event.metadata;
  switch (event.type) {
    case 'LearnerEnrolled':
      return { ...course, status: 'open', enrolledAt: occurredAt, endedAt: null, result: null };
    case 'LearnerWithdrawn':
      return { ...course, status: 'withdrawn', endedAt: occurredAt };
    case 'EnrollmentCompleted':
      return { ...course, status: 'completed', endedAt: occurredAt, result: event.data.result };
    case 'EnrollmentFailed':
      return { ...course, status: 'failed', endedAt: occurredAt, result: event.data.result };
    default: {
      const { attempt } = event.data;
      return { ...course, attempts: { ...course.attempts, [attempt]: evolveAttempt(course.attempts[attempt], event) } };
    }
  }
}

function evolveAttempt(attempt: TranscriptAttempt | undefined, event: Recorded<AttemptResultEvent>): TranscriptAttempt {
  const { occurredAt } = event.metadata;
  const { assessment } = event.data;
  const taken = { assessment, submittedAt: attempt?.submittedAt ?? occurredAt };
  const ungraded = { scaled: null, passed: null };
  switch (event.type) {
    case 'AttemptSubmitted':
      return { ...taken, status: 'awaiting-grade', ...ungraded };
    case 'AttemptTimedOut':
      return { ...taken, submittedAt: event.data.closedAt, status: 'awaiting-grade', ...ungraded };
    case 'AttemptRecorded':
    case 'AttemptGraded':
    case 'ScoreOverridden': {
      const { grade } = event.data;
      if (!grade) return { ...taken, status: 'awaiting-grade', ...ungraded };
      return { ...taken, status: 'graded', scaled: grade.scaled, passed: grade.passed };
    }
    case 'AttemptInvalidated':
      return { ...taken, status: 'invalidated', ...ungraded };
    default:
      return unreachable(event);
  }
}

export function findTranscript(
  db: Db,
  tenant: string,
  person: string,
): Promise<Answer<TranscriptDocument> | undefined> {
  return findOne(db, transcripts, tenant, person);
}
