import type { Db } from 'mongodb';
import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection, Recorded } from '../../packages/eventsourcing';
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
  readonly submittedAt: string;
  readonly scaled: number | null;
  readonly passed: boolean | null;
}

export interface TranscriptDocument extends Document {
  /** By course id. */
  readonly courses: Readonly<Record<string, TranscriptCourse>>;
}

type TranscriptEvent = EnrollmentEvent | AttemptEvent;

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
  version: 1,
  handles: [
    'LearnerEnrolled',
    'LearnerWithdrawn',
    'EnrollmentCompleted',
    'EnrollmentFailed',
    'AttemptRecorded',
    'AttemptGraded',
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
    case 'AttemptRecorded':
    case 'AttemptGraded': {
      const { attempt, assessment, grade } = event.data;
      const submittedAt = course.attempts[attempt]?.submittedAt ?? occurredAt;
      const taken = { assessment, submittedAt, scaled: grade?.scaled ?? null, passed: grade?.passed ?? null };
      return { ...course, attempts: { ...course.attempts, [attempt]: taken } };
    }
  }
}

export function findTranscript(
  db: Db,
  tenant: string,
  person: string,
): Promise<Answer<TranscriptDocument> | undefined> {
  return findOne(db, transcripts, tenant, person);
}
