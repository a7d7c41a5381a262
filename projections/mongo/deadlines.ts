import type { Db } from 'mongodb';
import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { addDays, type Document, type Projection, type Recorded, startOf } from '../../packages/eventsourcing';
import { collectionOf } from './collection';
import { CERTIFICATE_EVENTS, STANDING_EVENTS } from './enrollment-status';

/** A command that is to be sent when its time has come. */
export interface Deadline {
  /** ISO 8601 moment; also when the command happens in the world. */
  readonly at: string;
  /** ISO 8601 moment after which it makes no sense any more; null when it is never too late. */
  readonly until: string | null;
  readonly command: { readonly type: string; readonly data: object };
}

interface EnrollmentDeadlines extends Document {
  readonly kind: 'enrollment';
  readonly person: string;
  readonly course: string;
  readonly open: boolean;
  readonly enrolledOn: string;
  readonly dueOn: string | null;
  readonly isOverdue: boolean;
  readonly isReminded: boolean;
  readonly certificate: { readonly expiresOn: string; readonly renewalOpensOn: string | null } | null;
  readonly isRenewalOpen: boolean;
  /** The earliest of the deadlines; null when there is none. */
  readonly next: string | null;
  readonly deadlines: readonly Deadline[];
}

interface AttemptDeadlines extends Document {
  readonly kind: 'attempt';
  readonly next: string;
  readonly deadlines: readonly Deadline[];
}

export type DeadlinesDocument = EnrollmentDeadlines | AttemptDeadlines;

type ClockedAttemptEvent = Extract<AttemptEvent, { type: 'AttemptStarted' | 'AttemptSubmitted' | 'AttemptTimedOut' }>;
type DeadlineEvent = EnrollmentEvent | ClockedAttemptEvent;

/** A reminder comes so many days before something is due. */
const REMINDER_DAYS = 7;

/** What is to happen by itself, and when: read by the scheduler. Whatever it leads to is an event that takes the deadline away again. */
export const deadlines: Projection<DeadlinesDocument, DeadlineEvent> = {
  name: 'deadlines',
  version: 2,
  handles: [
    ...STANDING_EVENTS,
    ...CERTIFICATE_EVENTS,
    'LearnerReminded',
    'EnrollmentBecameOverdue',
    'AttemptStarted',
    'AttemptSubmitted',
    'AttemptTimedOut',
  ],
  key: ({ data }) => ('enrollment' in data ? data.enrollment : data.attempt),
  evolve: (document, event) => {
    switch (event.type) {
      case 'AttemptStarted':
        return timeOf(event);
      case 'AttemptSubmitted':
      case 'AttemptTimedOut':
        return null;
      default: {
        const before = document?.kind === 'enrollment' ? document : newEnrollment(event);
        const after = evolveEnrollment(before, event);
        return after.open || after.certificate ? withDeadlines(after) : null;
      }
    }
  },
  indexes: [{ key: { next: 1 } }],
};

function timeOf({
  data,
  metadata,
}: Recorded<Extract<ClockedAttemptEvent, { type: 'AttemptStarted' }>>): AttemptDeadlines | null {
  const { attempt, person, assessment, number, closesAt } = data;
  if (closesAt === null) return null;
  const at = new Date(Date.parse(closesAt) + 1).toISOString();
  const command = { type: 'TimeOutAttempt', data: { person, assessment, number } };
  return {
    _id: attempt,
    tenant: metadata.tenant,
    kind: 'attempt',
    next: at,
    deadlines: [{ at, until: null, command }],
  };
}

function newEnrollment({ data, metadata }: Recorded<EnrollmentEvent>): EnrollmentDeadlines {
  const { enrollment, person, course } = data;
  return {
    _id: enrollment,
    tenant: metadata.tenant,
    kind: 'enrollment',
    person,
    course,
    open: false,
    enrolledOn: '',
    dueOn: null,
    isOverdue: false,
    isReminded: false,
    certificate: null,
    isRenewalOpen: false,
    next: null,
    deadlines: [],
  };
}

function evolveEnrollment(before: EnrollmentDeadlines, event: Recorded<EnrollmentEvent>): EnrollmentDeadlines {
  const due = (dueOn: string | null): EnrollmentDeadlines =>
    dueOn === before.dueOn ? before : { ...before, dueOn, isOverdue: false, isReminded: false };
  switch (event.type) {
    case 'LearnerEnrolled': {
      const { dueOn, effectiveOn: enrolledOn, reason } = event.data;
      const isRenewalOpen = before.isRenewalOpen || reason.kind === 'recertification';
      return { ...due(dueOn), open: true, enrolledOn, isOverdue: false, isRenewalOpen };
    }
    case 'RequirementAdded':
    case 'RequirementEnded':
    case 'DueDateMoved':
      return due(event.data.dueOn);
    case 'LearnerExempted':
    case 'LearnerWithdrawn':
    case 'EnrollmentFailed':
      return { ...before, open: false };
    case 'EnrollmentCompleted':
      return { ...before, open: false, certificate: null };
    case 'LearnerReminded':
      return { ...before, isReminded: true };
    case 'EnrollmentBecameOverdue':
      return { ...before, isOverdue: true };
    case 'LearnerCertified':
    case 'CertificationRenewed': {
      const { expiresOn, renewalOpensOn } = event.data;
      return { ...before, certificate: { expiresOn, renewalOpensOn }, isRenewalOpen: false };
    }
    case 'CertificationExpired':
      return { ...before, certificate: null };
    case 'EnrollmentSuperseded':
      return { ...due(event.data.dueOn), open: true, certificate: null };
    case 'EnrollmentStarted':
      return before;
  }
}

function withDeadlines(enrollment: EnrollmentDeadlines): EnrollmentDeadlines {
  const { person, course, open, enrolledOn, dueOn, isOverdue, isReminded, certificate } = enrollment;
  const deadlines: Deadline[] = [];
  const add = (day: string, untilDay: string | null, type: string, data: object): void => {
    const until = untilDay && startOf(untilDay);
    deadlines.push({ at: startOf(day), until, command: { type, data: { person, course, ...data } } });
  };
  if (open && dueOn !== null && !isOverdue) {
    const remindOn = addDays(dueOn, -REMINDER_DAYS);
    if (!isReminded && remindOn > enrolledOn) add(remindOn, addDays(dueOn, 1), 'RemindLearner', { dueOn });
    add(addDays(dueOn, 1), null, 'MarkOverdue', { dueOn });
  }
  if (certificate) {
    const { expiresOn, renewalOpensOn } = certificate;
    if (renewalOpensOn !== null && !enrollment.isRenewalOpen) add(renewalOpensOn, null, 'OpenRenewal', { expiresOn });
    add(addDays(expiresOn, 1), null, 'ExpireCertification', { expiresOn });
  }
  const next = deadlines.reduce<string | null>((first, { at }) => (first === null || at < first ? at : first), null);
  return { ...enrollment, deadlines, next };
}

/** The deadlines that have come by this moment, of every tenant; those that have waited longest first. */
export async function findDue(db: Db, now: string, limit: number): Promise<DeadlinesDocument[]> {
  const found = await collectionOf(db, deadlines);
  return found
    .find({ next: { $lte: now } })
    .sort({ next: 1 })
    .limit(limit)
    .toArray();
}
