import { addDays } from '../packages/eventsourcing';
import { isAssigned } from './mongo/enrollment-status';
import type { EnrollmentDocument } from './mongo/enrollments';
import type { PersonDocument } from './mongo/people';

/** The reports about the people of teams, computed from documents: what tests and audit hold the warehouse's SQL against. */

/** How some people stand in what they are assigned. */
export interface Standing {
  readonly assigned: number;
  readonly completed: number;
  readonly failed: number;
  readonly open: number;
  readonly overdue: number;
  readonly dueSoon: number;
  /** Certificates whose last day is near. */
  readonly expiring: number;
  /** completed / assigned; null when nothing is assigned. */
  readonly compliance: number | null;
}

export interface TeamCompliance extends Standing {
  readonly manager: string;
  readonly managerEmployeeNumber: string;
  readonly members: number;
}

export interface UnitCompliance extends Standing {
  readonly orgUnit: string;
  readonly members: number;
}

export interface CourseCompliance extends Standing {
  readonly course: string;
  readonly members: number;
}

/** Somebody who counts in a report. */
export interface Member {
  readonly person: string;
  readonly employeeNumber: string;
  readonly manager: string;
  readonly orgUnit: string;
}

export type PersonCompliance = Member & Standing;

export interface Overdue extends Member {
  readonly course: string;
  readonly dueOn: string;
  readonly daysOverdue: number;
}

export interface ExpiringCertificate extends Member {
  readonly course: string;
  readonly expiresOn: string;
  readonly daysLeft: number;
  /** A renewal is open. */
  readonly renewing: boolean;
}

export interface TeamScope {
  /** The day the report is about, ISO 8601 date. */
  readonly on: string;
  /** Person id; left out for everybody who reports to somebody. */
  readonly manager?: string | undefined;
  readonly scope?: 'subtree' | 'direct' | undefined;
  /** How many days ahead "soon" is. */
  readonly within?: number | undefined;
}

/** As the reports have it where nothing else is said. */
const SOON_DAYS = 30;

type People = ReadonlyMap<string, PersonDocument>;
type Enrollments = Iterable<EnrollmentDocument>;

/** The active people below the manager. */
export function membersOf(people: People, { manager, scope }: Pick<TeamScope, 'manager' | 'scope'>): Member[] {
  const below = (person: PersonDocument): boolean => {
    let above = person.manager;
    for (let depth = 1; above && depth <= (scope === 'direct' ? 1 : 32); depth++) {
      if (above === manager) return true;
      above = people.get(above)?.manager ?? null;
    }
    return false;
  };
  return [...people.values()]
    .filter((person) => person.status === 'active' && person.manager !== null && (!manager || below(person)))
    .map(({ _id, employeeNumber, manager, orgUnit }) => ({
      person: _id,
      employeeNumber: employeeNumber ?? '',
      manager: manager!,
      orgUnit: orgUnit ?? '',
    }))
    .sort(by('person'));
}

export function expectedTeamCompliance(people: People, enrollments: Enrollments, scope: TeamScope): TeamCompliance[] {
  const teams = grouped(people, enrollments, scope, ({ manager }) => manager);
  return teams
    .map(({ key: manager, members, standing }) => ({
      manager,
      managerEmployeeNumber: people.get(manager)?.employeeNumber ?? '',
      members,
      ...standing,
    }))
    .sort(by('manager'));
}

export function expectedUnitCompliance(people: People, enrollments: Enrollments, scope: TeamScope): UnitCompliance[] {
  return grouped(people, enrollments, scope, ({ orgUnit }) => orgUnit)
    .map(({ key: orgUnit, members, standing }) => ({ orgUnit, members, ...standing }))
    .sort(by('orgUnit'));
}

export function expectedPersonCompliance(
  people: People,
  enrollments: Enrollments,
  scope: TeamScope,
): PersonCompliance[] {
  const ofPerson = groupBy(enrollments, ({ person }) => person);
  return membersOf(people, scope).map((member) => ({
    ...member,
    ...standingOf(ofPerson.get(member.person) ?? [], scope),
  }));
}

export function expectedCourseCompliance(
  people: People,
  enrollments: Enrollments,
  scope: TeamScope,
): CourseCompliance[] {
  const members = new Set(membersOf(people, scope).map(({ person }) => person));
  const ofMembers = [...enrollments].filter(({ person }) => members.has(person));
  return [...groupBy(ofMembers, ({ course }) => course)]
    .map(([course, documents]) => ({
      course,
      members: new Set(documents.map(({ person }) => person)).size,
      ...standingOf(documents, scope),
    }))
    .sort(by('course'));
}

export function expectedOverdue(people: People, enrollments: Enrollments, scope: TeamScope): Overdue[] {
  return listed(people, enrollments, scope, isOverdue)
    .map(([member, { course, dueOn }]) => ({
      ...member,
      course,
      dueOn: dueOn!,
      daysOverdue: daysBetween(dueOn!, scope.on),
    }))
    .sort(by('dueOn', 'person', 'course'));
}

export function expectedExpiringCertificates(
  people: People,
  enrollments: Enrollments,
  scope: TeamScope,
): ExpiringCertificate[] {
  return listed(people, enrollments, scope, isExpiring)
    .map(([member, { course, certificate, status }]) => ({
      ...member,
      course,
      expiresOn: certificate!.expiresOn,
      daysLeft: daysBetween(scope.on, certificate!.expiresOn),
      renewing: status === 'open',
    }))
    .sort(by('expiresOn', 'person', 'course'));
}

type Holds = (enrollment: EnrollmentDocument, scope: TeamScope) => boolean;

const isOverdue: Holds = ({ status, dueOn }, { on }) => status === 'open' && dueOn !== null && dueOn < on;
const isDueSoon: Holds = ({ status, dueOn }, { on, within = SOON_DAYS }) =>
  status === 'open' && dueOn !== null && dueOn >= on && dueOn <= addDays(on, within);
const isExpiring: Holds = ({ certificate }, { on, within = SOON_DAYS }) =>
  certificate !== null && certificate.expiresOn >= on && certificate.expiresOn <= addDays(on, within);

function standingOf(enrollments: readonly EnrollmentDocument[], scope: TeamScope): Standing {
  const count = (holds: Holds): number => enrollments.filter((enrollment) => holds(enrollment, scope)).length;
  const [assigned, completed] = [
    count(({ status }) => isAssigned(status)),
    count(({ status }) => status === 'completed'),
  ];
  return {
    assigned,
    completed,
    failed: count(({ status }) => status === 'failed'),
    open: count(({ status }) => status === 'open'),
    overdue: count(isOverdue),
    dueSoon: count(isDueSoon),
    expiring: count(isExpiring),
    compliance: assigned > 0 ? completed / assigned : null,
  };
}

function grouped(people: People, enrollments: Enrollments, scope: TeamScope, keyOf: (member: Member) => string) {
  const ofPerson = groupBy(enrollments, ({ person }) => person);
  return [...groupBy(membersOf(people, scope), keyOf)].map(([key, members]) => ({
    key,
    members: members.length,
    standing: standingOf(
      members.flatMap(({ person }) => ofPerson.get(person) ?? []),
      scope,
    ),
  }));
}

function listed(people: People, enrollments: Enrollments, scope: TeamScope, holds: Holds) {
  const members = new Map(membersOf(people, scope).map((member) => [member.person, member]));
  return [...enrollments]
    .filter((enrollment) => holds(enrollment, scope))
    .flatMap((enrollment): [Member, EnrollmentDocument][] => {
      const member = members.get(enrollment.person);
      return member ? [[member, enrollment]] : [];
    });
}

/** `Map.groupBy`, which Node.js 20 does not have. */
function groupBy<Key, Value>(values: Iterable<Value>, keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000;
}

function by<Row extends object>(...fields: (keyof Row)[]): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const field of fields) if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
    return 0;
  };
}
