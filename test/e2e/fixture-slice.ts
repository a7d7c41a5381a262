import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './running-stack';

export const FIXTURES = join(__dirname, '..', 'fixtures');

/** Whom a slice cannot do without, by a file of theirs: those of BBB, among whom every blemish of the data is, and the managers. */
const KEPT = { oulad: /^BBB,[^,]+,(\d+),/, employees: /^(\d+),d/ };
const KEPT_IN = { oulad: 'studentInfo.csv', employees: 'dept_manager.csv' };
/** Of everybody else, one in so many is in it. */
const ONE_IN = 10;
/** The column of a person's number. */
const PERSON = /^(id_student|emp_no)$/;

/**
 * The sample in a new folder, for its caller to remove: the whole of it where `ATTEST_TEST_FULL_SIZE` is set, otherwise some of its people and
 * all that is told of them.
 */
export function fixtureSlice(kind: 'oulad' | 'employees'): string {
  const [whole, slice] = [join(FIXTURES, kind), temporaryFolder()];
  if (process.env.ATTEST_TEST_FULL_SIZE) {
    cpSync(whole, slice, { recursive: true });
    return slice;
  }
  const needed = linesOf(join(whole, KEPT_IN[kind])).map((line) => KEPT[kind].exec(line)?.[1]);
  const isKept = (person: string): boolean => needed.includes(person) || Number(person) % ONE_IN === 0;
  for (const file of readdirSync(whole)) {
    const [header, ...rows] = linesOf(join(whole, file));
    const column = header!.split(',').findIndex((name) => PERSON.test(name));
    const kept = column < 0 ? rows : rows.filter((row) => isKept(row.split(',')[column]!));
    writeFileSync(join(slice, file), `${[header, ...kept].join('\n')}\n`);
  }
  return slice;
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}
