import type { CommandRequest, Recorded, Workflow } from '../eventsourcing';
import type {
  CertificationExpired,
  EnrollmentBecameOverdue,
  EnrollmentEvent,
  LearnerEnrolled,
  LearnerReminded,
} from './enrollment.events';
import type { NotificationStage } from './notification.events';

type Told = LearnerEnrolled | LearnerReminded | EnrollmentBecameOverdue | CertificationExpired;

/** What became known so many days after it happened is history: an import of the past tells nobody. */
const NEWS_DAYS = 30;
const DAY = 24 * 60 * 60 * 1000;

/** Puts into the outbox what people are to be told about their enrollments. */
export const whenAssignedThenNotify: Workflow<null, null, Told> = {
  name: 'notification',
  version: 1,
  handles: ['LearnerEnrolled', 'LearnerReminded', 'EnrollmentBecameOverdue', 'CertificationExpired'],
  key: ({ data }) => data.person,
  initialShared: null,
  initialOwn: null,
  evolveShared: () => null,
  evolveOwn: () => null,
  reactions: [
    {
      name: 'when-assigned-then-notify',
      on: ['LearnerEnrolled', 'LearnerReminded', 'EnrollmentBecameOverdue', 'CertificationExpired'],
      react: (event) => (isNews(event) ? [request(event)] : []),
    },
  ],
};

function isNews({ recordedAt, metadata }: Recorded<EnrollmentEvent>): boolean {
  return Date.parse(recordedAt) - Date.parse(metadata.occurredAt) <= NEWS_DAYS * DAY;
}

function request(event: Recorded<Told>): CommandRequest {
  const { person, enrollment, course } = event.data;
  const { stage, item, dueOn } = subjectOf(event);
  const data = { person, enrollment, course, stage, item, ...(dueOn && { dueOn }), cause: event.id };
  return { type: 'RequestNotification', at: event.recordedAt, data };
}

function subjectOf(event: Recorded<Told>): { stage: NotificationStage; item: string; dueOn: string | null } {
  switch (event.type) {
    case 'LearnerEnrolled': {
      const { reason, dueOn, effectiveOn } = event.data;
      return { stage: reason.kind === 'recertification' ? 'expiring' : 'assigned', item: dueOn ?? effectiveOn, dueOn };
    }
    case 'LearnerReminded':
      return { stage: 'due-soon', item: event.data.dueOn, dueOn: event.data.dueOn };
    case 'EnrollmentBecameOverdue':
      return { stage: 'overdue', item: event.data.dueOn, dueOn: event.data.dueOn };
    case 'CertificationExpired':
      return { stage: 'expired', item: event.data.expiresOn, dueOn: null };
  }
}
