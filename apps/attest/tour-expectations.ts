import { type CourseOutcomes } from '../../projections/expected-reports';
import { readCsv } from './import/csv';

/** How a team stands, by the employee number of its manager. */
export interface ExpectedTeam {
  readonly manager: string;
  readonly members: number;
  readonly assigned: number;
  readonly completed: number;
}

const number = (text: string | undefined): number => Number(text);

/** What `course-outcomes` must say, counted straight from the CSV files and from nothing else of Attest. */
export async function expectedFromOulad(folder: string): Promise<CourseOutcomes[]> {
  const rows = new Map<string, { -readonly [K in keyof CourseOutcomes]: CourseOutcomes[K] }>();
  const sums = new Map<string, number>();
  const unregistered = new Set<string>();
  for await (const row of readCsv(folder, 'studentRegistration')) {
    if (row.date_unregistration) unregistered.add(`${row.code_module}-${row.code_presentation}/${row.id_student}`);
  }
  for await (const row of readCsv(folder, 'studentInfo')) {
    const course = `${row.code_module}-${row.code_presentation}`;
    const found = rows.get(course) ?? {
      course,
      enrolled: 0,
      withdrawn: 0,
      completed: 0,
      failed: 0,
      attempts: 0,
      graded: 0,
      passed: 0,
      meanScore: null,
    };
    rows.set(course, found);
    found.enrolled++;
    if (unregistered.has(`${course}/${row.id_student}`) || row.final_result === 'Withdrawn') found.withdrawn++;
    else if (row.final_result === 'Fail') found.failed++;
    else found.completed++;
  }
  const courses = new Map<string, string>();
  for await (const row of readCsv(folder, 'assessments')) {
    courses.set(row.id_assessment!, `${row.code_module}-${row.code_presentation}`);
  }
  for await (const { id_assessment, score } of readCsv(folder, 'studentAssessment')) {
    const row = rows.get(courses.get(id_assessment!)!)!;
    row.attempts++;
    if (score === undefined) continue;
    row.graded++;
    if (number(score) >= 40) row.passed++;
    sums.set(row.course, (sums.get(row.course) ?? 0) + number(score));
  }
  for (const row of rows.values()) if (row.graded > 0) row.meanScore = sums.get(row.course)! / row.graded;
  return [...rows.values()].sort((a, b) => (a.course < b.course ? -1 : 1));
}

/**
 * What `team-compliance` must say of the employees under the sample's three rules, from the CSV files alone: everybody has the code of
 * conduct; whoever ever was Senior Engineer has mentoring, whoever ever was Technique Leader has leadership.
 */
export async function expectedFromEmployees(folder: string): Promise<ExpectedTeam[]> {
  const managerOf = new Map<string, string>();
  for await (const row of readCsv(folder, 'dept_manager')) {
    if (row.to_date === '9999-01-01') managerOf.set(row.dept_no!, row.emp_no!);
  }
  const titles = new Map<string, Set<string>>();
  for await (const row of readCsv(folder, 'titles')) {
    titles.set(row.emp_no!, (titles.get(row.emp_no!) ?? new Set()).add(row.title!));
  }
  const teams = new Map<string, { manager: string; members: number; assigned: number; completed: number }>();
  for await (const row of readCsv(folder, 'dept_emp')) {
    const manager = managerOf.get(row.dept_no!)!;
    if (row.to_date !== '9999-01-01' || manager === row.emp_no) continue;
    const team = teams.get(manager) ?? { manager, members: 0, assigned: 0, completed: 0 };
    teams.set(manager, team);
    team.members++;
    const held = titles.get(row.emp_no!)!;
    team.assigned += 1 + Number(held.has('Senior Engineer')) + Number(held.has('Technique Leader'));
  }
  return [...teams.values()].sort((a, b) => (a.manager < b.manager ? -1 : 1));
}
