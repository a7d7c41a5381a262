import type { Db } from 'mongodb';
import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { type Document, type Projection, type Recorded, unreachable } from '../../packages/eventsourcing';
import { type Answer, findOne } from './collection';
import { CERTIFICATE_EVENTS, type EnrollmentStatus, STANDING_EVENTS, statusAfter } from './enrollment-status';

export interface TranscriptCourse {
  readonly status: EnrollmentStatus | 'not-enrolled';
  readonly enrolledAt: string | null;
  readonly endedAt: string | null;
  readonly result: string | null;
  /** Last day on which the certificate counts; null when there is none. */
  readonly certifiedUntil: string | null;
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
  certifiedUntil: null,
  attempts: {},
};

/** Everything a person took part in, on one page. */
export const transcripts: Projection<TranscriptDocument, TranscriptEvent> = {
  name: 'transcripts',
  version: 4,
  handles: [
    ...STANDING_EVENTS,
    ...CERTIFICATE_EVENTS,
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
  if ('attempt' in event.data && event.type !== 'EnrollmentCompleted') {
    const { attempt } = event.data;
    const taken = event as Recorded<AttemptResultEvent>;
    return { ...course, attempts: { ...course.attempts, [attempt]: evolveAttempt(course.attempts[attempt], taken) } };
  }
  return evolveEnrollment(course, event as Recorded<EnrollmentEvent>);
}

function evolveEnrollment(before: TranscriptCourse, event: Recorded<EnrollmentEvent>): TranscriptCourse {
  const { occurredAt } = event.metadata;
  const status = statusAfter(before.status, event);
  const hasEnded = status !== 'open' && status !== before.status;
  const course = { ...before, status, endedAt: status === 'open' ? null : hasEnded ? occurredAt : before.endedAt };
  switch (event.type) {
    case 'LearnerEnrolled':
      return { ...course, enrolledAt: occurredAt, result: null };
    case 'EnrollmentCompleted':
      return { ...course, endedAt: occurredAt, result: event.data.result, certifiedUntil: null };
    case 'EnrollmentFailed':
      return { ...course, endedAt: occurredAt, result: event.data.result };
    case 'LearnerCertified':
    case 'CertificationRenewed':
      return { ...course, certifiedUntil: event.data.expiresOn };
    case 'CertificationExpired':
    case 'EnrollmentSuperseded':
      return { ...course, certifiedUntil: null };
    default:
      return course;
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
