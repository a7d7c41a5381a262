import { readCsv } from '../../apps/attest/import/csv';

interface Span {
  readonly value: string;
  readonly from: string;
  readonly to: string;
}

/** What somebody must have open on a day: `<employee number> <course> <due date or ->`. */
export type OpenEnrollment = string;

/** The employees as their CSV files tell of them, and what the sample's three rules ask of them. Shares nothing with Attest but the reading of rows. */
export class EmployeesHistory {
  private constructor(
    private readonly work: ReadonlyMap<string, readonly Span[]>,
    private readonly titles: ReadonlyMap<string, readonly Span[]>,
  ) {}

  static async read(folder: string): Promise<EmployeesHistory> {
    return new EmployeesHistory(await spans(folder, 'dept_emp', 'dept_no'), await spans(folder, 'titles', 'title'));
  }

  /** Everything that is open on a day, sorted: nobody ever completes anything. */
  openOn(day: string): OpenEnrollment[] {
    const open: OpenEnrollment[] = [];
    for (const [employee, departments] of this.work) {
      const hiredOn = departments[0]!.from;
      const left = departments[departments.length - 1]!.to;
      if (day < hiredOn || (left !== '9999-01-01' && day >= left)) continue;
      open.push(`${employee} code-of-conduct ${inThirtyDays(hiredOn)}`);
      const held = this.titles.get(employee)!.filter(({ from }, index) => index === 0 || from <= day);
      const { value: title, from } = held[held.length - 1]!;
      const since = held.length === 1 ? hiredOn : from;
      if (title === 'Senior Engineer') open.push(`${employee} mentoring -`);
      if (title === 'Technique Leader') open.push(`${employee} leadership-level-1 ${inThirtyDays(since)}`);
    }
    return open.sort();
  }
}

function inThirtyDays(day: string): string {
  return new Date(Date.parse(day) + 30 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}

async function spans(folder: string, name: string, column: string): Promise<Map<string, Span[]>> {
  const found = new Map<string, Span[]>();
  for await (const row of readCsv<string>(folder, name)) {
    const span = { value: row[column]!, from: row.from_date!, to: row.to_date! };
    found.set(
      row.emp_no!,
      [...(found.get(row.emp_no!) ?? []), span].sort((a, b) => (a.from < b.from ? -1 : 1)),
    );
  }
  return found;
}
