import { rmSync } from 'node:fs';
import type { Promotion } from '../../apps/attest/promotion';
import type { Explanation } from '../../apps/audit/why';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { RunningStack } from './running-stack';

/** One stack and one load of the sample for all of it: loading takes longer than everything else here. */
let stack: RunningStack;

beforeAll(async () => {
  stack = await RunningStack.start({ sample: true });
});
afterAll(async () => {
  await stack.stop();
  rmSync(stack.data, { recursive: true });
});

describe('The sample', () => {
  const counts = async (): Promise<[string, object[], object[]]> => {
    const analyst = await stack.as('analyst', { tenant: 'ou' });
    await analyst.settled();
    const outcomes = await analyst.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes');
    const acme = await stack.as('analyst', { tenant: 'acme' });
    const { rows } = await acme.read<Report<object>>('/v1/reports/team-compliance', { asOf: '2026-01-01' });
    return [outcomes.asOf.position, [...outcomes.rows], [...rows]];
  };

  it('is loaded by the first start, once, and survives a restart', async () => {
    const before = await counts();
    expect(before[1]).toHaveLength(3);
    expect(before[2]).toHaveLength(7);
    await stack.stop();
    stack = await RunningStack.start({ data: stack.data, sample: true });
    expect(await counts()).toEqual(before);
  });
});

describe('The promotion', () => {
  let promotion: Promotion;

  beforeAll(async () => {
    const { code, stdout, stderr } = await stack.cli('scenario', 'promotion', '--json');
    if (code !== 0) throw new Error(stderr);
    promotion = JSON.parse(stdout) as Promotion;
  });

  it('changes role, permissions, enrollments and dashboard, and tells the person', () => {
    const inThirtyDays = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    expect(Object.fromEntries(promotion.effects.map(({ effect, seen }) => [effect, seen]))).toEqual({
      role: 'technique-leader',
      permissions: 'see-team',
      enrollment: `leadership-level-1, due ${inThirtyDays}`,
      "manager's team": expect.stringMatching(/^under \d+, 2 open$/) as string,
      notification: 'assigned, pending',
    });
  });

  it('is explained from the HRIS event and the rule version on, each event under what caused it', () => {
    const { origin, rules, steps } = promotion.why;
    expect(origin).toEqual({ id: promotion.cloudEvent, actor: 'hris', via: 'hris' });
    expect(rules).toMatchObject([{ rule: 'technique-leaders', version: 1, publishedBy: 'admin' }]);
    const chain = steps.map(({ depth, type, via }) => `${depth} ${type} ${via}`);
    expect(chain.slice(0, 1)).toEqual(['0 RoleChanged hris']);
    expect(chain).toEqual(
      expect.arrayContaining([
        '0 PersonTransferred hris',
        '1 LearnerEnrolled workflow:when-role-changed-then-assign',
        '2 NotificationRequested workflow:when-assigned-then-notify',
        '1 ReportingLineChanged workflow:when-person-moved-then-place',
      ]),
    );
    const [role, enrolled] = ['RoleChanged', 'LearnerEnrolled'].map((type) =>
      steps.find((step) => step.type === type)!,
    );
    expect(enrolled!.causationId).toBe(role!.id);
    expect(enrolled!.data).toMatchObject({ reason: { kind: 'rule', rule: 'technique-leaders', cause: role!.id } });
  });

  it.each(['enrollment', 'notification', 'person'])('is explained by its %s alike', async (category) => {
    const { stream } = promotion.why.steps.findLast((step) => step.stream.startsWith(`acme.${category}-`))!;
    const id = stream.slice(`acme.${category}-`.length);
    const { code, stdout } = await stack.cli('audit', 'why', id, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Explanation).origin.id).toBe(promotion.cloudEvent);
  });

  it('is explained by any of its events, for people as a table', async () => {
    const { id } = promotion.why.steps[0]!;
    const { stdout } = await stack.cli('audit', 'why', id);
    expect(stdout).toContain(promotion.cloudEvent);
    expect(stdout).toMatch(/^RoleChanged +person-/m);
    expect(stdout).toMatch(/^ {2}LearnerEnrolled +enrollment-/m);
  });

  it('that nobody knows is not explained', async () => {
    const { code, stderr } = await stack.cli('audit', 'why', '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11');
    expect(stderr).toMatch(
      /There is no enrollment, notification, attempt, person, course, rule, assessment, seal or event 0b0e8b6a/,
    );
    expect(code).toBe(2);
  });

  it('lets the person see a team of their own, and nobody else, with the token that they had', async () => {
    const promoted = await stack.as('learner', { sub: promotion.person });
    expect((await promoted.get(`/v1/teams/${promotion.person}`)).status).toBe(200);
    expect((await promoted.get(`/v1/people`, { manager: promotion.person })).status).toBe(200);
    const learner = await stack.as('learner', { sub: '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11' });
    expect((await learner.get(`/v1/people`, { manager: promotion.person })).status).toBe(403);
  });
});
