import { type CourseOutcomes } from '../../projections/expected-reports';
import { readCsv } from './import/csv';

/** How a team stands, by the employee number of its manager. */
export interface ExpectedTeam {
  readonly manager: string;
  readonly members: number;
  readonly assigned: number;
  readonly completed: number;
}

const FOREVER = '9999-01-01';
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
 * conduct, whoever is Senior Engineer now has mentoring, whoever is Technique Leader now has leadership. Whose manager has left reports to
 * the next one up.
 */
export async function expectedFromEmployees(folder: string): Promise<ExpectedTeam[]> {
  const titles = new Map<string, string>();
  for await (const row of readCsv(folder, 'titles')) {
    if (row.to_date === FOREVER) titles.set(row.emp_no!, row.title!);
  }
  const { works, managerOf } = await reportingLines(folder);
  const teams = new Map<string, { manager: string; members: number; assigned: number; completed: number }>();
  for (const employee of works.keys()) {
    let manager = works.get(employee) ? managerOf(employee) : undefined;
    while (manager !== undefined && !works.get(manager)) manager = managerOf(manager);
    if (manager === undefined) continue;
    const team = teams.get(manager) ?? { manager, members: 0, assigned: 0, completed: 0 };
    teams.set(manager, team);
    team.members++;
    team.assigned += ['Senior Engineer', 'Technique Leader'].includes(titles.get(employee)!) ? 2 : 1;
  }
  return [...teams.values()].sort((a, b) => (a.manager < b.manager ? -1 : 1));
}

interface Told {
  readonly from: string;
  readonly manager: string | undefined;
}

/**
 * Who works there still, and whom everybody reports to last: the manager of their department. The data has managers who report to each
 * other; there, whoever was told last stays where they were
 * before, or goes to the top where that would be below themselves.
 */
async function reportingLines(folder: string) {
  const terms: { unit: string; manager: string; from: string; to: string }[] = [];
  for await (const { dept_no, emp_no, from_date, to_date } of readCsv(folder, 'dept_manager')) {
    terms.push({ unit: dept_no!, manager: emp_no!, from: from_date!, to: to_date! });
  }
  const works = new Map<string, boolean>();
  const told = new Map<string, Told[]>();
  for await (const { emp_no, dept_no, from_date, to_date } of readCsv(folder, 'dept_emp')) {
    works.set(emp_no!, works.get(emp_no!) || to_date === FOREVER);
    const managers = terms.filter(({ unit, from, to }) => unit === dept_no && from < to_date! && to > from_date!);
    for (const { from, manager } of managers) {
      const on = from > from_date! ? from : from_date!;
      const line = { from: on, manager: manager === emp_no ? undefined : manager };
      told.set(
        emp_no!,
        [...(told.get(emp_no!) ?? []), line].sort((a, b) => (a.from < b.from ? -1 : 1)),
      );
    }
  }
  const wayUp = (employee: string): string[] => {
    const way: string[] = [];
    let up = told.get(employee)?.at(-1)?.manager;
    for (; up !== undefined && !way.includes(up); up = told.get(up)?.at(-1)?.manager) way.push(up);
    return way;
  };
  const lastTold = (employee: string): string => told.get(employee)?.at(-1)?.from ?? '';
  const refused: string[] = [];
  for (const employee of told.keys()) {
    const circle = wayUp(employee);
    const newest = circle.reduce((a, b) => (lastTold(b) > lastTold(a) ? b : a), employee);
    if (circle.at(-1) === employee && newest === employee) refused.push(employee);
  }
  for (const employee of refused) {
    told.get(employee)!.pop();
    if (wayUp(employee).at(-1) === employee) told.set(employee, []);
  }
  return { works, managerOf: (employee: string): string | undefined => told.get(employee)?.at(-1)?.manager };
}
