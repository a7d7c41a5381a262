import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes, TeamCompliance } from '../../projections/expected-reports';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';

/**
 * A small year whose numbers can be counted by hand: Carla leads Mia and Max; Lea and Luis report to Mia, Lin to Max.
 * In March Luis moves to Max; at the end of May Lin leaves.
 */
describe('Reports', () => {
  const used = useStack();
  const tenant = newTenant();
  const hiredOn = { occurredAt: '2026-01-01T00:00:00Z' };
  const carla = hired({ ...hiredOn, employeeNumber: 'carla' });
  const mia = hired({ ...hiredOn, employeeNumber: 'mia', manager: carla.person });
  const max = hired({ ...hiredOn, employeeNumber: 'max', manager: carla.person });
  const lea = hired({ ...hiredOn, employeeNumber: 'lea', manager: mia.person });
  const luis = hired({ ...hiredOn, employeeNumber: 'luis', manager: mia.person });
  const lin = hired({ ...hiredOn, employeeNumber: 'lin', manager: max.person });
  let analyst: ApiClient;
  let position: string;

  beforeAll(async () => {
    const admin = await used.stack.as('admin', { tenant });
    analyst = await used.stack.as('analyst', { tenant });
    const late = attempted(lin.person, 'safety');
    const on = (day: string): { occurredAt: string } => ({ occurredAt: `2026-${day}T12:00:00Z` });
    const of = ({ person }: { person: string }, course: string) => ({ person, course });
    const year: [command: string, data: object][] = [
      ...[carla, mia, max, lea, luis, lin].map((person): [string, object] => ['hire-person', person]),
      ['enroll-learner', { ...of(lea, 'safety'), ...on('01-10'), dueOn: '2026-02-10' }],
      ['enroll-learner', { ...of(luis, 'safety'), ...on('01-10'), dueOn: '2026-02-10' }],
      ['enroll-learner', { ...of(lin, 'safety'), ...on('01-10'), dueOn: '2026-02-10' }],
      ['enroll-learner', { ...of(lea, 'privacy'), ...on('01-15') }],
      ['record-attempt', { ...attempted(lea.person, 'safety', 30), ...on('01-20') }],
      ['record-attempt', { ...attempted(lea.person, 'safety', 90), ...on('01-25') }],
      ['complete-enrollment', { ...of(lea, 'safety'), ...on('01-25') }],
      ['record-attempt', { ...attempted(luis.person, 'safety', 40), ...on('02-01') }],
      ['record-attempt', { ...late, ...on('02-05') }],
      ['fail-enrollment', { ...of(luis, 'safety'), ...on('02-20') }],
      ['withdraw-learner', { ...of(lea, 'privacy'), ...on('02-25') }],
      ['transfer-person', { person: luis.person, orgUnit: 'd004', manager: max.person, ...on('03-01') }],
      ['grade-attempt', { attempt: late.attempt, score: { raw: 20, max: 100, passMark: 40 }, ...on('03-05') }],
      ['record-attempt', { ...attempted(mia.person, 'unassigned', 50), ...on('03-10') }],
      ['terminate-person', { person: lin.person, ...on('05-31') }],
    ];
    for (const [command, data] of year) await admin.command(command, data);
    position = await admin.settled();
  });

  const courseOutcomes = (parameters: Record<string, string> = {}, client = analyst) =>
    client.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes', { minPosition: position, ...parameters });
  const teamCompliance = (parameters: Record<string, string> = {}, client = analyst) =>
    client.read<Report<TeamCompliance>>('/v1/reports/team-compliance', { minPosition: position, ...parameters });

  const byEmployeeNumber = (rows: readonly TeamCompliance[]) =>
    Object.fromEntries(rows.map(({ managerEmployeeNumber, manager: _, ...counts }) => [managerEmployeeNumber, counts]));
  const calm = { overdue: 0, dueSoon: 0, expiring: 0 };
  const none = { assigned: 0, completed: 0, failed: 0, open: 0, ...calm, compliance: null };

  describe('given the whole year', () => {
    it('when course outcomes are asked for, then they agree with the count by hand', async () => {
      const { rows } = await courseOutcomes();
      const noAttempts = { attempts: 0, graded: 0, passed: 0, meanScore: null };
      expect(rows).toEqual([
        { course: 'privacy', enrolled: 1, withdrawn: 1, completed: 0, failed: 0, ...noAttempts },
        {
          course: 'safety',
          enrolled: 3,
          withdrawn: 1, // lin, who has left
          completed: 1,
          failed: 1,
          attempts: 4,
          graded: 4,
          passed: 2,
          meanScore: (30 + 90 + 40 + 20) / 4,
        },
        {
          course: 'unassigned',
          enrolled: 0,
          withdrawn: 0,
          completed: 0,
          failed: 0,
          attempts: 1,
          graded: 1,
          passed: 1,
          meanScore: 50,
        },
      ]);
    });

    it('when team compliance is asked for, then it agrees with the count by hand', async () => {
      const { rows } = await teamCompliance();
      expect(byEmployeeNumber(rows)).toEqual({
        carla: { members: 2, ...none },
        mia: { members: 1, assigned: 1, completed: 1, failed: 0, open: 0, ...calm, compliance: 1 },
        max: { members: 1, assigned: 1, completed: 0, failed: 1, open: 0, ...calm, compliance: 0 },
      });
    });
  });

  describe('given an earlier date', () => {
    it('when course outcomes are asked for as of it, then what came later is left out', async () => {
      const { asOf, rows } = await courseOutcomes({ asOf: '2026-02-10' });
      expect(asOf.effective).toBe('2026-02-10T23:59:59.999Z');
      expect(rows).toEqual([
        expect.objectContaining({ course: 'privacy', enrolled: 1, withdrawn: 0 }),
        expect.objectContaining({
          course: 'safety',
          enrolled: 3,
          completed: 1,
          failed: 0,
          attempts: 4,
          graded: 3,
          passed: 2,
          meanScore: (30 + 90 + 40) / 3,
        }),
      ]);
    });

    it('when a moment is named instead of a date, then it counts to the second', async () => {
      const attemptsAt = async (asOf: string) => (await courseOutcomes({ asOf })).rows.at(-1)!.attempts;
      expect(await attemptsAt('2026-01-20T11:59:59Z')).toBe(0);
      expect(await attemptsAt('2026-01-20T12:00:00Z')).toBe(1);
      expect(await attemptsAt('2026-01-20T12:00:00+02:00')).toBe(0);
    });

    it('when team compliance is asked for as of it, then the reporting lines and due dates of that day count', async () => {
      expect(byEmployeeNumber((await teamCompliance({ asOf: '2026-02-10' })).rows)).toEqual({
        carla: { members: 2, ...none },
        mia: { members: 2, assigned: 3, completed: 1, failed: 0, open: 2, ...calm, dueSoon: 1, compliance: 1 / 3 },
        max: { members: 1, assigned: 1, completed: 0, failed: 0, open: 1, ...calm, dueSoon: 1, compliance: 0 },
      });
      expect(byEmployeeNumber((await teamCompliance({ asOf: '2026-02-11' })).rows)).toMatchObject({
        mia: { members: 2, open: 2, overdue: 1 },
        max: { members: 1, open: 1, overdue: 1 },
      });
      expect(byEmployeeNumber((await teamCompliance({ asOf: '2026-03-02' })).rows)).toMatchObject({
        mia: { members: 1, assigned: 1 },
        max: { members: 2, assigned: 2, failed: 1, open: 1, overdue: 1 },
      });
    });

    it('when it lies before everything, then there are no rows', async () => {
      expect((await courseOutcomes({ asOf: '2025-12-31' })).rows).toEqual([]);
      expect((await teamCompliance({ asOf: '2025-12-31' })).rows).toEqual([]);
    });

    it.each(['yesterday', '2026-02-30', '2026-13-01'])('when it is %s, then 400', async (asOf) => {
      const { status, body } = await analyst.get('/v1/reports/course-outcomes', { asOf });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        fields: expect.arrayContaining([expect.objectContaining({ field: 'asOf' })]) as object,
      });
    });
  });

  describe('given a manager', () => {
    const managers = (report: Report<TeamCompliance>): string[] =>
      report.rows.map(({ managerEmployeeNumber }) => managerEmployeeNumber).sort();

    it('when the report names one, then it holds the teams of everybody below', async () => {
      expect(managers(await teamCompliance({ manager: carla.person }))).toEqual(['carla', 'max', 'mia']);
      expect(managers(await teamCompliance({ manager: mia.person }))).toEqual(['mia']);
      expect(managers(await teamCompliance({ manager: lea.person }))).toEqual([]);
    });

    it('when the manager asks, then the report holds their own teams only', async () => {
      const as = (sub: string) => used.stack.as('manager', { tenant, sub });
      expect(managers(await teamCompliance({}, await as(carla.person)))).toEqual(['carla', 'max', 'mia']);
      expect(managers(await teamCompliance({}, await as(max.person)))).toEqual(['max']);
      expect(managers(await teamCompliance({ manager: mia.person }, await as(carla.person)))).toEqual(['mia']);
      const denied = await (await as(max.person)).get('/v1/reports/team-compliance', { manager: carla.person });
      expect(denied.status).toBe(403);
    });
  });

  it('given a position, when a report waits for it, then the report says that it includes it', async () => {
    const { asOf } = await courseOutcomes();
    expect(BigInt(asOf.position)).toBeGreaterThanOrEqual(BigInt(position));
    expect(Date.parse(asOf.time!)).toBeLessThanOrEqual(Date.now());
  });

  it('given another tenant, when it asks, then it sees nothing of this one', async () => {
    const elsewhere = await used.stack.as('analyst', { tenant: newTenant() });
    expect((await courseOutcomes({}, elsewhere)).rows).toEqual([]);
    expect((await teamCompliance({}, elsewhere)).rows).toEqual([]);
    expect((await teamCompliance({ manager: carla.person }, elsewhere)).rows).toEqual([]);
  });

  it('given the command line, when it asks for a report, then it prints what the door answers', async () => {
    const args = ['--tenant', tenant, '--as-of', '2026-02-10', '--json'];
    const outcomes = await used.stack.cli('report', 'course-outcomes', ...args);
    expect(outcomes.code).toBe(0);
    const { rows } = await courseOutcomes({ asOf: '2026-02-10' });
    expect(JSON.parse(outcomes.stdout)).toMatchObject({ asOf: { effective: '2026-02-10T23:59:59.999Z' }, rows });

    const compliance = await used.stack.cli('report', 'team-compliance', ...args, '--manager', mia.person);
    expect(compliance.code).toBe(0);
    const teams = await teamCompliance({ asOf: '2026-02-10', manager: mia.person });
    expect(JSON.parse(compliance.stdout)).toMatchObject({ rows: teams.rows });

    const forPeople = await used.stack.cli('report', 'course-outcomes', '--tenant', tenant);
    expect(forPeople.stdout).toMatch(/^course +enrolled +withdrawn/);
    expect(forPeople.stdout).toMatch(/^safety +3 +1 +1 +1 +4 +4 +2 +45$/m);
  });
});
