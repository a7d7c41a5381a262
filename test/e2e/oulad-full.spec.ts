import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { ImportSummary } from '../../apps/attest/import/import-tally';
import { expectedFromOulad } from '../../apps/attest/tour-expectations';
import type { Report } from '../../apps/reports/reports.controller';
import type { Status } from '../../apps/reports/status.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { readingThrough } from './reading-through';
import { RunningStack, temporaryFolder } from './running-stack';
import { until } from './until';

/** The whole import beside every reader in one process takes longer than all other tests: this file runs when ATTEST_TEST_FULL_IMPORT is set. */
const folder = process.env.ATTEST_TEST_DATA;
const MINUTES = 60_000;

const sum = (rows: readonly CourseOutcomes[], field: 'enrolled' | 'attempts' | 'graded' | 'passed'): number =>
  rows.reduce((total, row) => total + row[field], 0);

if (!folder) throw new Error('Set ATTEST_TEST_DATA to the folder with oulad/ and employees/.');

describe('The full data', () => {
  const data = temporaryFolder();
  let stack: RunningStack;

  beforeAll(async () => {
    stack = await RunningStack.start({ data });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(data, { recursive: true });
  });

  async function answerOf<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await stack.cli(...args, '--json');
    if (code !== 0) throw new Error(stderr.slice(-2_000));
    return JSON.parse(stdout) as T;
  }

  /** Bytes of the log, of which the import writes about 200 million. */
  async function logSoFar(): Promise<number> {
    return Number((await (await stack.as('admin', { tenant: 'ou' })).read<Status>('/v1/status')).log);
  }

  it(
    'given the full OULAD data, when Attest is killed in the middle of its import, then a repetition completes it',
    async () => {
      const interrupted = stack.cli('import', 'oulad', join(folder, 'oulad'));
      await until(async () => (await logSoFar()) > 60_000_000, 20 * MINUTES);
      await stack.kill();
      expect((await interrupted).code).not.toBe(0);
      stack = await RunningStack.start({ data });

      const { facts, refusals } = await answerOf<ImportSummary>('import', 'oulad', join(folder, 'oulad'));
      expect(facts).toMatchObject({ sent: 249_170, refused: 9 });
      expect(facts.accepted + facts.alreadyKnown).toBe(249_170 - 9);
      expect(facts.alreadyKnown).toBeGreaterThan(5_000);
      expect(refusals).toHaveLength(9);

      const { rows } = await answerOf<Report<CourseOutcomes>>('report', 'course-outcomes', '--tenant', 'ou');
      expect(sum(rows, 'enrolled')).toBe(32_593);
      expect(sum(rows, 'attempts')).toBe(173_912);
      expect(sum(rows, 'graded')).toBe(173_739);
      expect(sum(rows, 'passed')).toBe(166_161);
      const expected = await expectedFromOulad(join(folder, 'oulad'));
      expect(rows).toEqual(
        expected.map(({ meanScore, ...row }) => ({ ...row, meanScore: expect.closeTo(meanScore!, 9) as number })),
      );
      const { check } = await answerOf<ReplayAnswer>('audit', 'replay', '--tenant', 'ou', '--check');
      expect(check).toMatchObject({ ok: true, differing: 0 });
    },
    60 * MINUTES,
  );

  it(
    'given the full log, when every read model is built anew, then readers see no error and no step back',
    async () => {
      interface Build {
        projection: string;
        documents: number;
        differing: number;
      }
      let builds: Build[] = [];
      const reading = await readingThrough(stack, 'ou', async () => {
        builds = await answerOf<Build[]>('projections', 'rebuild', '--all', '--tenant', 'ou');
      });
      expect(reading).toMatchObject({ errors: [], stepsBack: [] });
      expect(reading.reads).toBeGreaterThan(100);
      expect(builds.filter(({ differing }) => differing > 0)).toEqual([]);
      const attempts = builds.find(({ projection }) => projection === 'attempts')!;
      expect(attempts.documents).toBeGreaterThanOrEqual(173_912);
    },
    30 * MINUTES,
  );
});
