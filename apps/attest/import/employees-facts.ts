import { readCsv, required } from './csv';

/** One fact of the HR history, as the HRIS publishes it. */
export interface HrFact {
  readonly kind: 'hired' | 'role-changed' | 'transferred' | 'terminated';
  readonly employeeNumber: string;
  /** ISO 8601 date. */
  readonly effectiveOn: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Period {
  readonly value: string;
  readonly from: string;
  readonly to: string;
}

const FOREVER = '9999-01-01';
/** Order of facts of one day. */
const ORDER: readonly HrFact['kind'][] = ['hired', 'role-changed', 'transferred', 'terminated'];

/**
 * The employees data as a feed of hires, role changes, moves and departures, sorted by date. Somebody is hired on the first
 * day of their first department; the manager of a department is the manager of its people, and a new one moves them all.
 */
export async function readHrFacts(folder: string): Promise<HrFact[]> {
  const titles = await periods(folder, 'titles', 'title');
  const departments = await periods(folder, 'dept_emp', 'dept_no');
  const managers = await departmentManagers(folder);
  const facts: HrFact[] = [];
  for await (const row of readCsv(folder, 'employees')) {
    const employeeNumber = required(row, 'emp_no');
    const name = { given: required(row, 'first_name'), family: required(row, 'last_name') };
    const worked = departments.get(employeeNumber) ?? [];
    const held = titles.get(employeeNumber) ?? [];
    facts.push(...factsOf(employeeNumber, name, held, worked, managers));
  }
  const rank = ({ effectiveOn, kind }: HrFact): string => `${effectiveOn}${ORDER.indexOf(kind)}`;
  return facts.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

function* factsOf(
  employeeNumber: string,
  name: object,
  titles: readonly Period[],
  departments: readonly Period[],
  managers: ReadonlyMap<string, readonly Period[]>,
): Generator<HrFact> {
  const [firstTitle, ...laterTitles] = titles;
  const [firstDepartment] = departments;
  if (!firstTitle || !firstDepartment) return;
  const placed = (orgUnit: string, on: string) => {
    const manager = managers.get(orgUnit)?.find(({ from, to }) => from <= on && on < to)?.value;
    return { orgUnit, ...(manager && manager !== employeeNumber && { manager }) };
  };
  const hiredOn = firstDepartment.from;
  const hired = { name, jobTitle: firstTitle.value, ...placed(firstDepartment.value, hiredOn) };
  yield { kind: 'hired', employeeNumber, effectiveOn: hiredOn, data: hired };
  for (const { value: jobTitle, from } of laterTitles) {
    yield { kind: 'role-changed', employeeNumber, effectiveOn: from, data: { jobTitle } };
  }
  for (const { value: unit, from, to } of departments) {
    const newManagers = (managers.get(unit) ?? []).filter((manager) => manager.from > from && manager.from < to);
    const moves = [...(from === hiredOn ? [] : [from]), ...newManagers.map((manager) => manager.from)];
    for (const on of moves) yield { kind: 'transferred', employeeNumber, effectiveOn: on, data: placed(unit, on) };
  }
  const leaves = departments[departments.length - 1]!.to;
  if (leaves !== FOREVER) yield { kind: 'terminated', employeeNumber, effectiveOn: leaves, data: {} };
}

async function periods(folder: string, name: string, column: string): Promise<Map<string, Period[]>> {
  return byKey(folder, name, 'emp_no', column);
}

async function departmentManagers(folder: string): Promise<Map<string, Period[]>> {
  return byKey(folder, 'dept_manager', 'dept_no', 'emp_no');
}

async function byKey(folder: string, name: string, key: string, column: string): Promise<Map<string, Period[]>> {
  const found = new Map<string, Period[]>();
  for await (const row of readCsv(folder, name)) {
    const period = { value: required(row, column), from: required(row, 'from_date'), to: required(row, 'to_date') };
    const id = required(row, key);
    found.set(id, [...(found.get(id) ?? []), period]);
  }
  for (const list of found.values()) list.sort((a, b) => (a.from < b.from ? -1 : 1));
  return found;
}
