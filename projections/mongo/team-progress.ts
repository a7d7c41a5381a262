import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection, Recorded } from '../../packages/eventsourcing';
import type { PersonEvent } from '../../packages/people/person.events';

/**
 * One member of a manager's team and how each of their enrollments stands. The team view is a find by manager, so that a
 * move between teams rewrites one document instead of two teams' sums.
 */
export interface TeamMemberDocument extends Document {
  readonly manager: string | null;
  readonly employeeNumber: string | null;
  readonly role: string | null;
  readonly orgUnit: string | null;
  readonly active: boolean;
  readonly enrollments: Readonly<Record<string, MemberEnrollment>>;
}

export interface MemberEnrollment {
  readonly course: string;
  readonly status: 'open' | 'withdrawn' | 'completed' | 'failed';
  readonly dueOn: string | null;
}

type TeamEvent = PersonEvent | EnrollmentEvent;

export const teamProgress: Projection<TeamMemberDocument, TeamEvent> = {
  name: 'team_progress',
  version: 1,
  handles: [
    'PersonHired',
    'RoleChanged',
    'PersonTransferred',
    'PersonTerminated',
    'LearnerEnrolled',
    'LearnerWithdrawn',
    'EnrollmentCompleted',
    'EnrollmentFailed',
  ],
  key: ({ data }) => data.person,
  evolve: (document, event) => evolveMember(document ?? newMember(event), event),
  indexes: [{ key: { tenant: 1, manager: 1 } }],
};

/** An enrollment may be seen before the person is: whatever comes first begins the document. */
function newMember(event: Recorded<TeamEvent>): TeamMemberDocument {
  return {
    _id: event.data.person,
    tenant: event.metadata.tenant,
    manager: null,
    employeeNumber: null,
    role: null,
    orgUnit: null,
    active: false,
    enrollments: {},
  };
}

function evolveMember(member: TeamMemberDocument, event: Recorded<TeamEvent>): TeamMemberDocument {
  switch (event.type) {
    case 'PersonHired': {
      const { manager, employeeNumber, role, orgUnit } = event.data;
      return { ...member, manager, employeeNumber, role, orgUnit, active: true };
    }
    case 'RoleChanged':
      return { ...member, role: event.data.role };
    case 'PersonTransferred':
      return { ...member, orgUnit: event.data.orgUnit, manager: event.data.manager };
    case 'PersonTerminated':
      return { ...member, active: false };
    case 'LearnerEnrolled':
      return withEnrollment(member, event, { status: 'open', dueOn: event.data.dueOn });
    case 'LearnerWithdrawn':
      return withEnrollment(member, event, { status: 'withdrawn' });
    case 'EnrollmentCompleted':
      return withEnrollment(member, event, { status: 'completed' });
    case 'EnrollmentFailed':
      return withEnrollment(member, event, { status: 'failed' });
  }
}

function withEnrollment(
  member: TeamMemberDocument,
  event: Recorded<EnrollmentEvent>,
  change: Pick<MemberEnrollment, 'status'> & Partial<MemberEnrollment>,
): TeamMemberDocument {
  const { enrollment, course } = event.data;
  const before = member.enrollments[enrollment] ?? { course, dueOn: null };
  return { ...member, enrollments: { ...member.enrollments, [enrollment]: { ...before, ...change } } };
}
