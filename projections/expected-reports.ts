import type { AttemptDocument } from './mongo/attempts';
import { isAssigned } from './mongo/enrollment-status';
import type { EnrollmentDocument } from './mongo/enrollments';
import type { PersonDocument } from './mongo/people';

/** The row types of the reports, and the reports computed from documents: what audit holds the warehouse's SQL against. */
export interface CourseOutcomes {
  readonly course: string;
  readonly enrolled: number;
  readonly withdrawn: number;
  readonly completed: number;
  readonly failed: number;
  readonly attempts: number;
  readonly graded: number;
  readonly passed: number;
  /** Mean raw score of the graded attempts; null when none is graded. */
  readonly meanScore: number | null;
}

export interface TeamCompliance {
  readonly manager: string;
  readonly managerEmployeeNumber: string;
  readonly members: number;
  readonly assigned: number;
  readonly completed: number;
  readonly failed: number;
  readonly open: number;
  readonly overdue: number;
  /** completed / assigned; null when nothing is assigned. */
  readonly compliance: number | null;
}

export function expectedCourseOutcomes(
  enrollments: Iterable<EnrollmentDocument>,
  attempts: Iterable<AttemptDocument>,
): CourseOutcomes[] {
  const byCourse = new Map<string, { -readonly [K in keyof CourseOutcomes]: CourseOutcomes[K] } & { sum: number }>();
  const rowOf = (course: string) => {
    const found = byCourse.get(course);
    if (found) return found;
    const counts = { enrolled: 0, withdrawn: 0, completed: 0, failed: 0, attempts: 0, graded: 0, passed: 0 };
    const row = { course, ...counts, meanScore: null, sum: 0 };
    byCourse.set(course, row);
    return row;
  };
  for (const { course, status } of enrollments) {
    const row = rowOf(course);
    row.enrolled++;
    if (status === 'withdrawn' || status === 'completed' || status === 'failed') row[status]++;
  }
  for (const { course, status, grade } of attempts) {
    if (status === 'started' || status === 'invalidated') continue;
    const row = rowOf(course);
    row.attempts++;
    if (!grade) continue;
    row.graded++;
    row.sum += grade.raw;
    if (grade.passed) row.passed++;
  }
  return [...byCourse.values()]
    .map(({ sum, ...row }) => ({ ...row, meanScore: row.graded > 0 ? sum / row.graded : null }))
    .sort((a, b) => (a.course < b.course ? -1 : 1));
}

/** @param on ISO 8601 date: what is open and was due before it is overdue */
export function expectedTeamCompliance(
  people: ReadonlyMap<string, PersonDocument>,
  enrollments: Iterable<EnrollmentDocument>,
  on: string,
): TeamCompliance[] {
  const teams = new Map<
    string,
    { members: number; assigned: number; completed: number; failed: number; open: number; overdue: number }
  >();
  const teamOf = (person: PersonDocument | undefined) => {
    if (!person?.manager || person.status !== 'active') return undefined;
    const team = teams.get(person.manager) ?? { members: 0, assigned: 0, completed: 0, failed: 0, open: 0, overdue: 0 };
    teams.set(person.manager, team);
    return team;
  };
  for (const person of people.values()) {
    const team = teamOf(person);
    if (team) team.members++;
  }
  for (const { person, status, dueOn } of enrollments) {
    const team = teamOf(people.get(person));
    if (!team || !isAssigned(status)) continue;
    team.assigned++;
    team[status]++;
    if (status === 'open' && dueOn !== null && dueOn < on) team.overdue++;
  }
  return [...teams]
    .map(([manager, team]) => ({
      manager,
      managerEmployeeNumber: people.get(manager)?.employeeNumber ?? '',
      ...team,
      compliance: team.assigned > 0 ? team.completed / team.assigned : null,
    }))
    .sort((a, b) => (a.manager < b.manager ? -1 : 1));
}
