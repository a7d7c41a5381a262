import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportSummary } from '../../apps/attest/import/import-tally';
import type { Report } from '../../apps/reports/reports.controller';
import { expectedFromOulad } from '../../apps/attest/tour-expectations';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { FIXTURES, fixtureSlice } from './fixture-slice';
import { newTenant } from './records';
import { useStack } from './running-stack';

describe('Imports', () => {
  const used = useStack();
  const folders = { oulad: fixtureSlice('oulad'), employees: fixtureSlice('employees') };
  afterAll(() => Object.values(folders).forEach((folder) => rmSync(folder, { recursive: true })));

  async function run(kind: 'oulad' | 'employees', tenant: string): Promise<ImportSummary> {
    const result = await used.stack.cli('import', kind, folders[kind], '--tenant', tenant, '--json');
    if (result.code !== 0) throw new Error(result.stderr);
    return JSON.parse(result.stdout) as ImportSummary;
  }

  async function report<Row>(name: string, tenant: string): Promise<readonly Row[]> {
    const { stdout } = await used.stack.cli('report', name, '--tenant', tenant, '--json');
    return (JSON.parse(stdout) as Report<Row>).rows;
  }

  it('given the OULAD sample, when it is imported twice, then the second time changes nothing', async () => {
    const tenant = newTenant();
    const first = await run('oulad', tenant);
    const { sent, accepted, alreadyKnown, refused } = first.facts;
    expect(sent).toBe(accepted + alreadyKnown + refused);
    expect(refused).toBe(3); // registrations that ended in two ways at once
    expect(first.refusals).toHaveLength(refused);
    const rows = await report<CourseOutcomes>('course-outcomes', tenant);
    const expected = await expectedFromOulad(folders.oulad);
    expect(rows).toEqual(
      expected.map(({ meanScore, ...row }) => ({
        ...row,
        meanScore: meanScore && (expect.closeTo(meanScore, 9) as number),
      })),
    );

    const second = await run('oulad', tenant);
    expect(second.facts).toEqual({ sent, accepted: 0, alreadyKnown: sent - refused, refused });
    expect(second.refusals).toEqual(first.refusals);
    expect(await report('course-outcomes', tenant)).toEqual(rows);
    const check = await used.stack.cli('audit', 'replay', '--tenant', tenant, '--check');
    expect(check.code).toBe(0);
  });

  it('given the employees sample, when it is imported twice, then the second time changes nothing', async () => {
    const tenant = newTenant();
    const first = await run('employees', tenant);
    const { sent } = first.facts;
    expect(first.facts).toEqual({ sent, accepted: sent, alreadyKnown: 0, refused: 0 });
    const rows = await report('team-compliance', tenant);
    expect(rows).toHaveLength(7);

    const second = await run('employees', tenant);
    expect(second.facts).toEqual({ sent, accepted: 0, alreadyKnown: sent, refused: 0 });
    expect(await report('team-compliance', tenant)).toEqual(rows);
    const check = await used.stack.cli('audit', 'replay', '--tenant', tenant, '--check');
    expect(check.code).toBe(0);
  });

  it('given a folder without the data, then one sentence says what is missing', async () => {
    const { code, stdout, stderr } = await used.stack.cli('import', 'oulad', used.stack.data);
    expect(stderr).toMatch(/^attest: .* has neither courses\.csv nor courses\.csv\.gz\.\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('given a file that is no table, then one sentence says so', async () => {
    const folder = join(used.stack.data, 'broken');
    cpSync(join(FIXTURES, 'oulad'), folder, { recursive: true });
    writeFileSync(join(folder, 'courses.csv'), 'code_module,code_presentation\n"AAA,2013J,1,2\n');
    const { code, stderr } = await used.stack.cli('import', 'oulad', folder);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).toContain('courses');
    expect(code).toBe(2);
  });
});
