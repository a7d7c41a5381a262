import { join } from 'node:path';
import type { AttestClient } from './client';
import { importEmployees } from './import/employees';
import { readHrFacts } from './import/employees-facts';
import type { ImportSummary } from './import/import-tally';
import { countOulad, importOulad } from './import/oulad';

/** The small real data that comes with Attest; see the README there. */
export const SAMPLE_FOLDER = join(packageRoot(), 'test', 'fixtures');

/** What the sample's employer requires of its people, so that HR facts lead to enrollments. */
const COURSES = [
  { course: 'code-of-conduct', title: 'Code of Conduct' },
  { course: 'mentoring', title: 'Mentoring' },
  { course: 'leadership-level-1', title: 'Leadership Level 1' },
];
const RULES = [
  { rule: 'everyone', roles: [], courses: ['code-of-conduct'], dueInDays: 30 },
  { rule: 'senior-engineers', roles: ['senior-engineer'], courses: ['mentoring'] },
  { rule: 'technique-leaders', roles: ['technique-leader'], courses: ['leadership-level-1'], dueInDays: 30 },
];

/** Publishes the sample's catalogue and assignment rules for a tenant of employees. */
export async function publishSampleRules(client: AttestClient): Promise<void> {
  for (const course of COURSES) await client.command('publish-course', course, `sample:${course.course}`);
  for (const rule of RULES) await client.command('publish-assignment-rule', rule, `sample:${rule.rule}`);
}

export interface SampleSummary {
  readonly employees: ImportSummary | null;
  readonly oulad: ImportSummary;
}

const EMPLOYEES = join(SAMPLE_FOLDER, 'employees');
const OULAD = join(SAMPLE_FOLDER, 'oulad');

/** How many facts and commands the sample has; those of the HRIS need NATS. */
export async function countSample(nats: string | null): Promise<number> {
  return (nats ? (await readHrFacts(EMPLOYEES)).length : 0) + (await countOulad(OULAD));
}

/** Loads the sample through the public doors: employees of `acme` over NATS, learners of `ou` over HTTP. Repeatable. */
export async function loadSample(
  clients: { acme: AttestClient; ou: AttestClient },
  nats: string | null,
  onProgress: (settled: number) => void,
): Promise<SampleSummary> {
  await publishSampleRules(clients.acme);
  const none = (): void => undefined;
  const employees = nats && (await importEmployees(nats, 'acme', EMPLOYEES, none, onProgress));
  const oulad = await importOulad(clients.ou, 'ou', OULAD, onProgress);
  return { employees: employees || null, oulad };
}

/** The folder of `package.json`, from the compiled file or from its source. */
function packageRoot(): string {
  const here = join(__dirname, '..', '..');
  return here.endsWith('dist') ? join(here, '..') : here;
}
