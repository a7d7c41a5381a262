import type { Db } from 'mongodb';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection, Recorded } from '../../packages/eventsourcing';
import type { PersonEvent } from '../../packages/people/person.events';
import { collectionOf } from './collection';

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

/** How one member stands, counted from their enrollments. */
export interface MemberProgress {
  readonly person: string;
  readonly employeeNumber: string | null;
  readonly role: string | null;
  readonly orgUnit: string | null;
  /** Enrollments that were not withdrawn. */
  readonly assigned: number;
  readonly completed: number;
  readonly failed: number;
  readonly open: number;
  readonly overdue: number;
}

export interface TeamProgress {
  readonly manager: string;
  readonly members: readonly MemberProgress[];
  readonly totals: Omit<MemberProgress, 'person' | 'employeeNumber' | 'role' | 'orgUnit'>;
}

/** The active people who report to this manager. `today` is an ISO 8601 date: what is open and was due before it is overdue. */
export async function findTeam(db: Db, tenant: string, manager: string, today: string): Promise<TeamProgress> {
  const team = collectionOf(db, teamProgress).find({ tenant, manager, active: true }).sort({ _id: 1 });
  const members = (await team.toArray()).map((member) => progressOf(member, today));
  const sum = (count: (member: MemberProgress) => number): number =>
    members.reduce((total, member) => total + count(member), 0);
  return {
    manager,
    members,
    totals: {
      assigned: sum(({ assigned }) => assigned),
      completed: sum(({ completed }) => completed),
      failed: sum(({ failed }) => failed),
      open: sum(({ open }) => open),
      overdue: sum(({ overdue }) => overdue),
    },
  };
}

function progressOf({ _id: person, ...member }: TeamMemberDocument, today: string): MemberProgress {
  const { employeeNumber, role, orgUnit } = member;
  const enrollments = Object.values(member.enrollments);
  const count = (status: MemberEnrollment['status']): number =>
    enrollments.filter((enrollment) => enrollment.status === status).length;
  const overdue = enrollments.filter(({ status, dueOn }) => status === 'open' && dueOn !== null && dueOn < today);
  return {
    person,
    employeeNumber,
    role,
    orgUnit,
    assigned: enrollments.length - count('withdrawn'),
    completed: count('completed'),
    failed: count('failed'),
    open: count('open'),
    overdue: overdue.length,
  };
}
