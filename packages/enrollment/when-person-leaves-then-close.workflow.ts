import type { DomainEvent, Workflow } from '../eventsourcing';
import type {
  EnrollmentCompleted,
  EnrollmentFailed,
  LearnerEnrolled,
  LearnerExempted,
  LearnerWithdrawn,
} from './enrollment.events';

type Employment = DomainEvent<
  'PersonHired' | 'PersonRehired' | 'PersonTerminated',
  { readonly person: string; readonly effectiveOn: string }
>;
type Opened = LearnerEnrolled;
type Closed = LearnerWithdrawn | EnrollmentCompleted | EnrollmentFailed | LearnerExempted;

/** What a person is enrolled in for other reasons than rules, which see to their own; and since when they work here, last. */
interface OpenEnrollments {
  readonly courses: readonly string[];
  /** ISO 8601 date; empty before the first hire is known. */
  readonly joinedOn: string;
}

/** Whoever leaves is withdrawn from what is still open. What rules required ends by the rules themselves. */
export const whenPersonLeavesThenClose: Workflow<null, OpenEnrollments, Employment | Opened | Closed> = {
  name: 'leaving',
  version: 1,
  handles: [
    'PersonHired',
    'PersonRehired',
    'PersonTerminated',
    'LearnerEnrolled',
    'LearnerWithdrawn',
    'EnrollmentCompleted',
    'EnrollmentFailed',
    'LearnerExempted',
  ],
  key: ({ data }) => data.person,
  initialShared: null,
  initialOwn: { courses: [], joinedOn: '' },
  evolveShared: () => null,
  evolveOwn: (own, event) => {
    switch (event.type) {
      case 'PersonHired':
      case 'PersonRehired':
        return event.data.effectiveOn > own.joinedOn ? { ...own, joinedOn: event.data.effectiveOn } : own;
      case 'PersonTerminated':
        return own;
      case 'LearnerEnrolled': {
        const { course, reason } = event.data;
        if (reason.kind === 'rule' || own.courses.includes(course)) return own;
        return { ...own, courses: [...own.courses, course] };
      }
      default: {
        const { course } = event.data;
        return own.courses.includes(course) ? { ...own, courses: own.courses.filter((each) => each !== course) } : own;
      }
    }
  },
  reactions: [
    {
      name: 'when-person-leaves-then-close',
      on: ['PersonTerminated'],
      react: (event, _before, { own }) => {
        if (event.type !== 'PersonTerminated') return [];
        const { person, effectiveOn } = event.data;
        if (own.joinedOn > effectiveOn) return []; // They came back, and the news that they had left is late.
        return own.courses.map((course) => ({
          type: 'WithdrawLearner',
          at: event.metadata.occurredAt,
          data: { person, course, reason: { kind: 'left', cause: event.id } },
        }));
      },
    },
  ],
};
