import type { Db } from 'mongodb';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection, Recorded } from '../../packages/eventsourcing';
import type { PersonEvent } from '../../packages/people/person.events';
import type { ReportingLineChanged } from '../../packages/people/reporting-lines.events';
import { collectionOf } from './collection';
import { HISTORY_EVENTS, historyAfter, NO_HISTORY, type PersonHistory } from './person-history';
import { dueAfter, type EnrollmentStatus, isAssigned, STANDING_EVENTS, statusAfter } from './enrollment-status';

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
  readonly history: PersonHistory;
  readonly enrollments: Readonly<Record<string, MemberEnrollment>>;
}

export interface MemberEnrollment {
  readonly course: string;
  readonly status: EnrollmentStatus;
  readonly dueOn: string | null;
}

type TeamEvent = Exclude<PersonEvent, { type: 'PersonErased' }> | ReportingLineChanged | EnrollmentEvent;

export const teamProgress: Projection<TeamMemberDocument, TeamEvent> = {
  name: 'team_progress',
  version: 2,
  handles: [...HISTORY_EVENTS, 'ReportingLineChanged', ...STANDING_EVENTS],
  key: ({ type, data }) => (type === 'ReportingLineChanged' ? data.people : data.person),
  evolve: (document, event, key) => evolveMember(document ?? newMember(key, event.metadata.tenant), event),
  indexes: [{ key: { tenant: 1, manager: 1 } }],
};

/** An enrollment may be seen before the person is: whatever comes first begins the document. */
function newMember(_id: string, tenant: string): TeamMemberDocument {
  return {
    _id,
    tenant,
    manager: null,
    employeeNumber: null,
    role: null,
    orgUnit: null,
    active: false,
    history: NO_HISTORY,
    enrollments: {},
  };
}

function evolveMember(member: TeamMemberDocument, event: Recorded<TeamEvent>): TeamMemberDocument {
  switch (event.type) {
    case 'ReportingLineChanged':
      return { ...member, manager: event.data.manager };
    case 'PersonHired':
      return { ...withHistory(member, event), employeeNumber: event.data.employeeNumber };
    case 'PersonRehired':
    case 'RoleChanged':
    case 'PersonTransferred':
    case 'PersonTerminated':
    case 'ProfileCorrected':
      return withHistory(member, event);
    default:
      return withEnrollment(member, event);
  }
}

function withHistory(member: TeamMemberDocument, event: PersonEvent): TeamMemberDocument {
  const history = historyAfter(member.history, event);
  const role = history.positions.at(-1)?.value.role ?? null;
  const orgUnit = history.orgUnits.at(-1)?.value ?? null;
  return { ...member, history, role, orgUnit, active: history.employment.at(-1)?.value ?? false };
}

function withEnrollment(member: TeamMemberDocument, event: EnrollmentEvent): TeamMemberDocument {
  const { enrollment, course } = event.data;
  const before = member.enrollments[enrollment] ?? { course, status: 'withdrawn', dueOn: null };
  const after = { ...before, status: statusAfter(before.status, event), dueOn: dueAfter(before.dueOn, event) };
  return { ...member, enrollments: { ...member.enrollments, [enrollment]: after } };
}

/** How one member stands, counted from their enrollments. */
export interface MemberProgress {
  readonly person: string;
  readonly employeeNumber: string | null;
  readonly role: string | null;
  readonly orgUnit: string | null;
  /** Enrollments that are open, completed or failed. */
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
  const collection = await collectionOf(db, teamProgress);
  const team = collection.find({ tenant, manager, active: true }).sort({ _id: 1 });
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
    assigned: enrollments.filter(({ status }) => isAssigned(status)).length,
    completed: count('completed'),
    failed: count('failed'),
    open: count('open'),
    overdue: overdue.length,
  };
}
