import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reproduced } from '../../apps/audit/reproduction';
import type { Report } from '../../apps/reports/reports.controller';
import { type DigestedReport, reportDigest } from '../../projections/clickhouse/report-digest';
import type { CourseOutcomes } from '../../projections/expected-reports';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { type CliResult, useStack } from './running-stack';

type Verdict = Reproduced & { same: boolean; reason: string | null; deviations: { column: string | null }[] };

describe('A saved report', () => {
  const used = useStack();
  const tenant = newTenant();
  const folder = mkdtempSync(join(tmpdir(), 'attest-reproduce-'));
  const mia = hired({ occurredAt: '2026-01-01T00:00:00Z', employeeNumber: 'mia' });
  const lea = hired({ occurredAt: '2026-01-01T00:00:00Z', employeeNumber: 'lea', manager: mia.person });
  const at = (day: string): { occurredAt: string } => ({ occurredAt: `2026-${day}T12:00:00Z` });
  const outcomes = join(folder, 'outcomes.json');
  const teams = join(folder, 'teams.json');
  let admin: ApiClient;
  let late: { position: string }[];

  const run = (...args: string[]): Promise<CliResult> => used.stack.cli(...args, '--tenant', tenant);
  const save = async (file: string, ...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await run('report', ...args, '--json');
    if (code !== 0) throw new Error(stderr);
    writeFileSync(file, stdout);
  };
  const saved = (file: string): Report<CourseOutcomes> => JSON.parse(readFileSync(file, 'utf8')) as never;
  const reproduce = async (...args: string[]): Promise<{ code: number | null; verdicts: Verdict[] }> => {
    const { code, stdout, stderr } = await run('audit', 'reproduce', ...args, '--json');
    if (stdout === '') throw new Error(stderr);
    return { code, verdicts: JSON.parse(stdout) as Verdict[] };
  };

  beforeAll(async () => {
    admin = await used.stack.as('admin', { tenant });
    for (const person of [mia, lea]) await admin.command('hire-person', person);
    for (const { person } of [mia, lea])
      await admin.command('enroll-learner', { person, course: 'safety', ...at('01-10') });
    await admin.command('record-attempt', { ...attempted(lea.person, 'safety', 80), ...at('02-01') });
    await admin.settled();
    await save(outcomes, 'course-outcomes', '--as-of', '2026-02-28');
    await save(teams, 'team-compliance', '--as-of', '2026-02-28', '--manager', mia.person);
    const told = (command: string, data: object) => admin.command(command, data);
    late = [
      await told('complete-enrollment', { person: lea.person, course: 'safety', ...at('02-03') }),
      await told('record-attempt', { ...attempted(mia.person, 'safety', 20), ...at('02-04') }),
      await told('record-attempt', { ...attempted(mia.person, 'safety', 90), ...at('03-15') }),
    ];
    await admin.settled();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('given the log alone, when it is reproduced, then it has the same digest, and its differences are explained', async () => {
    const { code, verdicts } = await reproduce(outcomes, teams);
    expect(code).toBe(0);
    expect(verdicts.map(({ same, digest }) => ({ same, digest }))).toEqual([
      { same: true, digest: saved(outcomes).digest },
      { same: true, digest: saved(teams).digest },
    ]);
    const { restated } = verdicts[0]!;
    const cells = { row: { course: 'safety' } };
    expect(restated.differences).toEqual([
      { ...cells, column: 'completed', from: 0, to: 1 },
      { ...cells, column: 'attempts', from: 1, to: 2 },
      { ...cells, column: 'graded', from: 1, to: 2 },
      { ...cells, column: 'meanScore', from: 80, to: 50 },
    ]);
    // What happened after the report's date is no part of the explanation.
    expect(
      restated.steps.map(({ event, upTo, changes }) => [event!.type, upTo, changes.map(({ column }) => column)]),
    ).toEqual([
      ['EnrollmentCompleted', late[0]!.position, ['completed']],
      ['AttemptRecorded', late[1]!.position, ['attempts', 'graded', 'meanScore']],
    ]);
    expect(verdicts[1]!.restated.differences).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ row: { manager: mia.person }, column: 'completed', from: 0, to: 1 }),
      ]),
    );
  });

  it('given fewer questions than events, when it is explained, then what is left stands in one step', async () => {
    const { verdicts } = await reproduce(outcomes, '--steps', '0');
    const { steps, differences } = verdicts[0]!.restated;
    expect(steps).toMatchObject([{ event: null, changes: differences }]);
    expect(steps[0]!.events).toMatchObject({ EnrollmentCompleted: 1, AttemptRecorded: 1 });
  });

  it('given what it was known at, when it is asked for again, then the answer has the same digest', async () => {
    const { report, asOf, digest } = saved(outcomes);
    const again = await admin.read<Report<CourseOutcomes>>(`/v1/reports/${report}`, {
      asOf: '2026-02-28',
      knownAt: asOf.position,
    });
    expect(again.digest).toBe(digest);
    const byTime = await admin.read<Report<CourseOutcomes>>(`/v1/reports/${report}`, {
      asOf: '2026-02-28',
      knownAt: asOf.time!,
    });
    expect(byTime.rows).toEqual(again.rows);
    const now = await admin.read<Report<CourseOutcomes>>(`/v1/reports/${report}`, { asOf: '2026-02-28' });
    expect(now.rows).toMatchObject([{ completed: 1, attempts: 2 }]);
  });

  const changes: [string, (answer: Report<CourseOutcomes>) => object, string][] = [
    [
      'a count was changed in',
      ({ rows, ...rest }) => ({ ...rest, rows: [{ ...rows[0]!, completed: 2 }] }),
      'file-was-changed',
    ],
    ['the digest was changed in', (answer) => ({ ...answer, digest: '0'.repeat(64) }), 'file-was-changed'],
    [
      'the tenant of another position stands in',
      (answer) => ({ ...answer, asOf: { ...answer.asOf, position: late[0]!.position } }),
      'file-was-changed',
    ],
    [
      'other rows stand in, with their own digest,',
      ({ rows, ...rest }) => {
        const forged = { ...rest, rows: [{ ...rows[0]!, completed: 2 }] } as DigestedReport;
        return { ...forged, digest: reportDigest(forged) };
      },
      'other-rows',
    ],
    [
      'other SQL made',
      (answer) => {
        const other = { ...answer, projection: 'f'.repeat(64) } as DigestedReport;
        return { ...other, digest: reportDigest(other) };
      },
      'other-sql',
    ],
  ];
  const changed = (at: number): string => join(folder, `changed-${at}.json`);

  it.each(changes.map((change, at) => [...change, at] as const))(
    'given that %s the file, when it is reproduced, then that is said, with exit code 1',
    async (_, change, reason, at) => {
      writeFileSync(changed(at), JSON.stringify(change(saved(outcomes))));
      const { code, verdicts } = await reproduce(changed(at), '--steps', '0');
      expect(code).toBe(1);
      expect(verdicts).toMatchObject([{ same: false, reason }]);
    },
  );

  it('given files that were changed, when they are reproduced, then people are told of each', async () => {
    const { code, stdout } = await run('audit', 'reproduce', ...changes.map((_, at) => changed(at)), '--steps', '0');
    expect(code).toBe(1);
    for (const at of changes.keys()) expect(stdout.split(`${changed(at)}: `)[1]).toMatch(/^.*\n\nNOT THE SAME/);
    expect(stdout.match(/^NOT THE SAME/gm)).toHaveLength(changes.length);
  });

  it('given no saved report, when it is reproduced, then one sentence says what it lacks', async () => {
    const file = join(folder, 'other.json');
    writeFileSync(file, '{"rows": []}');
    const { code, stderr } = await run('audit', 'reproduce', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^attest: .*other\.json is no saved answer .*: it lacks report, parameters, asOf, projection, digest\.\n$/,
    );
  });

  it.each([
    ['reports.0.report', { report: '../001-events' }],
    ['reports.0.parameters.tenant', { parameters: { tenant: 'other' } }],
    ['reports.0.position', { position: '9999999999999' }],
    ['reports.0.effective', { effective: 'yesterday' }],
  ])('given a %s that cannot be, when it is reproduced, then 400 names it', async (field, change) => {
    const { report, parameters, asOf } = saved(outcomes);
    const request = { report, parameters, position: asOf.position, effective: asOf.effective, ...change };
    const response = await fetch(new URL('/v1/audit/reproduce', used.stack.urls.api), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await used.stack.token('compliance', { tenant })}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ reports: [request] }),
    });
    expect(response.status).toBe(400);
    const { fields } = (await response.json()) as { fields: { field: string }[] };
    expect(fields.map(({ field }) => field)).toContain(field);
  });
});
