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
  { course: 'code-of-conduct', title: 'Code of Conduct', validity: { kind: 'days', days: 365 } },
  { course: 'mentoring', title: 'Mentoring' },
  { course: 'leadership-level-1', title: 'Leadership Level 1' },
];
const ROLES = (...roles: string[]) => ({ anyOf: [{ roles }] });
const IN_30_DAYS = { kind: 'in-days', days: 30 };
/** Renewed within 60 days before the expiry, and then good for a year from the old one: everybody keeps their day of the year. */
const YEARLY = { opensDaysBefore: 60, renewsFrom: 'expiry', lateRenewsFrom: 'completion', alignsNewHiresWithinDays: 0 };
/** The sample's history begins in 1985, and the rules are to apply to all of it. */
const occurredAt = '1985-01-01';
export const SAMPLE_RULES = [
  {
    rule: 'everyone',
    audience: { everyone: true },
    courses: ['code-of-conduct'],
    due: IN_30_DAYS,
    recertification: YEARLY,
    occurredAt,
  },
  { rule: 'senior-engineers', audience: ROLES('senior-engineer'), courses: ['mentoring'], occurredAt },
  {
    rule: 'technique-leaders',
    audience: ROLES('technique-leader'),
    courses: ['leadership-level-1'],
    due: IN_30_DAYS,
    occurredAt,
  },
];

/** Publishes the sample's catalogue, assignment rules and permissions for a tenant of employees. */
export async function publishSampleRules(client: AttestClient): Promise<void> {
  for (const course of COURSES) await client.command('publish-course', course, `sample:${course.course}`);
  for (const rule of SAMPLE_RULES) await client.command('publish-assignment-rule', rule, `sample:${rule.rule}`);
  await client.command(
    'grant-permissions',
    { role: 'technique-leader', permissions: ['see-team'] },
    'sample:permissions',
  );
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
