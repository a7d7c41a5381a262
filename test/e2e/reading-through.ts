import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Report } from '../../apps/reports/reports.controller';
import type { Problem } from '../../apps/shared/problems';
import type { CourseOutcomes } from '../../projections/expected-reports';
import type { ApiClient } from './api-client';
import { attempted, newTenant } from './records';
import type { ReachableStack } from './reachable-stack';

/** What readers met with while something was done to what they read. */
export interface Reading {
  readonly reads: number;
  readonly writes: number;
  /** Answers other than 200, and whatever else went wrong. */
  readonly errors: readonly string[];
  /** Answers that did not show what an earlier one had shown. */
  readonly stepsBack: readonly string[];
}

const OUTCOMES = '/v1/reports/course-outcomes';
/** Read by people and programs all the time; the tenant must be one to which nothing happens meanwhile. */
const PAGES = ['/v1/people', '/v1/enrollments', '/v1/attempts', '/v1/notifications', '/v1/job-titles', OUTCOMES];
/**
 * They share the pages out, and rest so many milliseconds between two reads where nobody asked for the full size. With more of them, or no rest, each
 * step of what they read through takes longer, and they read more often until it ends.
 */
const [READERS, REST] = process.env.ATTEST_TEST_FULL_SIZE ? [PAGES.length, 0] : [2, 25];

/**
 * Reads all the time while the work goes on: pages of a tenant to which nothing happens, which must stay as they are; and what a writer
 * of another tenant adds, which must be there as soon as its position is, and stay.
 */
export async function readingThrough(
  stack: ReachableStack,
  tenant: string,
  work: () => Promise<unknown>,
): Promise<Reading> {
  const reader = await stack.as('admin', { tenant });
  const writer = await stack.as('admin', { tenant: newTenant() });
  const person = randomUUID();
  const errors: string[] = [];
  const stepsBack: string[] = [];
  let reads = 0;
  let writes = 0;
  let seen = 0;
  let isDone = false;

  async function read<T>(client: ApiClient, path: string, parameters: Record<string, string>): Promise<T | undefined> {
    if (REST > 0) await delay(REST);
    const { status, body } = await client.get<T>(path, parameters);
    reads++;
    // It may say that it is behind, and is asked again; what it must not do is to answer without what was asked for.
    if (status === 503 && parameters.minPosition) return read(client, path, parameters);
    if (status !== 200) errors.push(`${path} was answered with ${status}: ${JSON.stringify(body)}${loggedOf(body)}`);
    return status === 200 ? body : undefined;
  }

  /** What the stack has logged of a request that it could not answer. */
  function loggedOf(body: unknown): string {
    const { correlationId } = (body ?? {}) as Partial<Problem>;
    const lines = stack.stderr.split('\n').filter((line) => correlationId && line.includes(correlationId));
    return ['', ...lines].join('\n');
  }

  async function rereadPages(paths: readonly string[]): Promise<void> {
    const page = async (path: string): Promise<string> =>
      JSON.stringify(rowsOf(await read(reader, path, { limit: '200' })));
    const first = await Promise.all(paths.map(async (path) => ({ path, before: await page(path) })));
    while (!isDone) {
      for (const { path, before } of first) {
        const now = await page(path);
        if (now !== before) stepsBack.push(`${path}: ${before.slice(0, 500)} became ${now.slice(0, 500)}`);
      }
    }
  }

  async function writeAndRead(): Promise<void> {
    while (!isDone) {
      const attempt = attempted(person, 'safety', 50);
      const { position: minPosition } = await writer.command('record-attempt', attempt);
      writes++;
      const found = await read<{ id: string }[]>(writer, '/v1/attempts', { person, minPosition, limit: '1000' });
      if (found && !found.some(({ id }) => id === attempt.attempt)) stepsBack.push(`${minPosition} is not there`);
      const report = await read<Report<CourseOutcomes>>(writer, OUTCOMES, { minPosition });
      if (report && report.rows[0]?.attempts !== writes) stepsBack.push(`${minPosition} is not counted`);
    }
  }

  async function readWhatIsAdded(): Promise<void> {
    while (!isDone) {
      const found = await read<unknown[]>(writer, '/v1/attempts', { person, limit: '1000' });
      if (found && found.length < seen) stepsBack.push(`${seen} attempts became ${found.length}`);
      seen = found?.length ?? seen;
    }
  }

  const pagesOf = (reader: number): string[] => PAGES.filter((_, at) => at % READERS === reader);
  const readers = Array.from({ length: READERS }, (_, at) => rereadPages(pagesOf(at)));
  const reading = Promise.all([...readers, writeAndRead(), readWhatIsAdded()]).catch((error: unknown) => {
    errors.push(String(error));
  });
  try {
    await work();
  } finally {
    isDone = true;
    await reading;
  }
  return { reads, writes, errors, stepsBack };
}

/** What is told; of a report, without how far the log was. */
function rowsOf(body: unknown): unknown {
  return (body as Partial<Report<unknown>> | undefined)?.rows ?? body;
}
