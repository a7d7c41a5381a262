import type { Role } from '../../packages/commands';
import type { AttemptDocument } from '../../projections/mongo/attempts';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { PersonDocument } from '../../projections/mongo/people';
import type { TeamProgress } from '../../projections/mongo/team-progress';
import type { TranscriptDocument } from '../../projections/mongo/transcripts';
import { enrollmentIdOf } from '../../packages/enrollment';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';

const NOBODY = '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11';

type Identified<Document> = Document & { readonly id: string };

/**
 * The organisation that every test here asks about: Carla leads Mia and Max; Lea and Luis report to Mia, Lin to Max.
 */
describe('Queries', () => {
  const used = useStack();
  const tenant = newTenant();
  const carla = hired({ role: 'director' });
  const mia = hired({ manager: carla.person, role: 'lead' });
  const max = hired({ manager: carla.person, role: 'lead' });
  const lea = hired({ manager: mia.person });
  const luis = hired({ manager: mia.person });
  const lin = hired({ manager: max.person });
  const everybody = [carla, mia, max, lea, luis, lin];
  const leasAttempt = attempted(lea.person, 'safety', 80);
  let admin: ApiClient;

  const as = (role: Role, sub?: string): Promise<ApiClient> =>
    used.stack.as(role, { tenant, ...(sub !== undefined && { sub }) });
  const statusOf = async (client: ApiClient, path: string): Promise<number> => (await client.get(path)).status;

  beforeAll(async () => {
    admin = await as('admin');
    for (const person of everybody) await admin.command('hire-person', person);
    for (const { person } of [lea, luis, lin]) await admin.command('enroll-learner', { person, course: 'safety' });
    await admin.command('enroll-learner', { person: lea.person, course: 'privacy', dueOn: '2020-01-31' });
    await admin.command('record-attempt', leasAttempt);
    await admin.command('record-attempt', attempted(luis.person, 'safety'));
    await admin.command('complete-enrollment', { person: lea.person, course: 'safety', result: 'Pass' });
    await admin.settled();
  });

  describe('given what was recorded', () => {
    it('when a person is asked for, then the answer tells their role and reporting line', async () => {
      expect(await admin.read(`/v1/people/${lea.person}`)).toMatchObject({
        id: lea.person,
        tenant,
        employeeNumber: lea.employeeNumber,
        name: null,
        email: null,
        status: 'active',
        jobTitle: 'Engineer',
        role: 'engineer',
        orgUnit: 'd005',
        manager: mia.person,
        hiredOn: new Date().toISOString().slice(0, 10),
        terminatedOn: null,
      });
    });

    it('when a transcript is asked for, then it holds every course and attempt', async () => {
      const { courses } = await admin.read<TranscriptDocument>(`/v1/people/${lea.person}/transcript`);
      expect(courses).toMatchObject({
        safety: {
          status: 'completed',
          result: 'Pass',
          attempts: { [leasAttempt.attempt]: { assessment: 'quiz', scaled: 0.8, passed: true } },
        },
        privacy: { status: 'open', attempts: {} },
      });
    });

    it('when enrollments are asked for by course, then each stands as it is now', async () => {
      const found = await admin.read<Identified<EnrollmentDocument>[]>('/v1/enrollments', { course: 'safety' });
      expect(new Map(found.map(({ person, status }) => [person, status]))).toEqual(
        new Map([
          [lea.person, 'completed'],
          [luis.person, 'open'],
          [lin.person, 'open'],
        ]),
      );
      const id = enrollmentIdOf(lea.person, 'privacy');
      expect(await admin.read(`/v1/enrollments/${id}`)).toMatchObject({ id, dueOn: '2020-01-31', status: 'open' });
    });

    it('when attempts are asked for, then each has its grade or none yet', async () => {
      const found = await admin.read<AttemptDocument[]>('/v1/attempts', { course: 'safety' });
      expect(found).toHaveLength(2);
      expect(found).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            id: leasAttempt.attempt,
            grade: expect.objectContaining({ scaled: 0.8 }) as object,
          }),
          expect.objectContaining({ person: luis.person, grade: null, gradedAt: null }),
        ]),
      );
    });

    it('when a team is asked for, then its members’ enrollments are counted', async () => {
      const team = await admin.read<TeamProgress>(`/v1/teams/${mia.person}`);
      expect(team.totals).toEqual({ assigned: 3, completed: 1, failed: 0, open: 2, overdue: 1 });
      expect(team.members).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ person: lea.person, assigned: 2, completed: 1, open: 1, overdue: 1 }),
          expect.objectContaining({ person: luis.person, assigned: 1, completed: 0, open: 1, overdue: 0 }),
        ]),
      );
    });

    it.each([`people/${NOBODY}`, `people/${NOBODY}/transcript`, `enrollments/${NOBODY}`])(
      'when %s is asked for, which does not exist, then 404',
      async (path) => {
        const { status, body } = await admin.get(`/v1/${path}`);
        expect(status).toBe(404);
        expect(body).toMatchObject({ type: 'urn:attest:problem:not-found' });
      },
    );

    it('when the team of somebody without one is asked for, then it has no members', async () => {
      expect(await admin.read(`/v1/teams/${lea.person}`)).toMatchObject({ members: [], totals: { assigned: 0 } });
    });
  });

  describe('given pages', () => {
    it('when they are walked, then each document comes once, in the order of ids', async () => {
      const seen: string[] = [];
      for (let page = await pageAfter(); page.length > 0; page = await pageAfter(seen.at(-1))) {
        expect(page.length).toBeLessThanOrEqual(4);
        seen.push(...page.map(({ id }) => id));
      }
      expect(seen).toEqual(everybody.map(({ person }) => person).sort());

      function pageAfter(after?: string): Promise<Identified<PersonDocument>[]> {
        return admin.read('/v1/people', { limit: '4', ...(after !== undefined && { after }) });
      }
    });

    it.each([
      ['limit', '0'],
      ['limit', '1001'],
      ['limit', 'all'],
      ['manager', 'mia'],
      ['colour', 'red'],
    ])('when %s is %s, then 400 names it', async (field, value) => {
      const { status, body } = await admin.get('/v1/people', { [field]: value });
      expect(status).toBe(400);
      expect(body).toMatchObject({ fields: expect.arrayContaining([expect.objectContaining({ field })]) as object });
    });
  });

  describe('given a learner', () => {
    let learner: ApiClient;
    beforeAll(async () => {
      learner = await as('learner', lea.person);
    });

    it.each([
      `people/${lea.person}`,
      `people/${lea.person}/transcript`,
      `enrollments?person=${lea.person}`,
      `enrollments/${enrollmentIdOf(lea.person, 'safety')}`,
      `attempts?person=${lea.person}`,
    ])('when they ask for their own %s, then they see it', async (path) => {
      expect(await statusOf(learner, `/v1/${path}`)).toBe(200);
    });

    it.each([
      ['people', 403],
      [`people/${luis.person}`, 403],
      [`people/${mia.person}`, 403],
      [`people/${luis.person}/transcript`, 403],
      [`teams/${mia.person}`, 403],
      ['enrollments', 400],
      ['enrollments?course=safety', 400],
      [`enrollments?person=${luis.person}`, 403],
      [`enrollments/${enrollmentIdOf(luis.person, 'safety')}`, 403],
      ['attempts?course=safety', 400],
      [`attempts?person=${luis.person}`, 403],
      ['reports/course-outcomes', 403],
      ['reports/team-compliance', 403],
      ['audit/replay', 403],
    ])('when they ask for %s, then %d', async (path, status) => {
      expect(await statusOf(learner, `/v1/${path}`)).toBe(status);
    });
  });

  describe('given a manager', () => {
    let manager: ApiClient;
    beforeAll(async () => {
      manager = await as('manager', mia.person);
    });

    it.each([
      `people?manager=${mia.person}`,
      `people/${mia.person}`,
      `people/${lea.person}`,
      `people/${luis.person}/transcript`,
      `teams/${mia.person}`,
      `enrollments?person=${lea.person}&course=safety`,
      `attempts?person=${luis.person}`,
      'reports/team-compliance',
    ])('when they ask for %s, then they see it', async (path) => {
      expect(await statusOf(manager, `/v1/${path}`)).toBe(200);
    });

    it.each([
      ['people', 400],
      [`people?manager=${max.person}`, 403],
      [`people?manager=${carla.person}`, 403],
      [`people/${carla.person}`, 403],
      [`people/${lin.person}`, 403],
      [`people/${lin.person}/transcript`, 403],
      [`teams/${max.person}`, 403],
      [`teams/${carla.person}`, 403],
      ['enrollments?course=safety', 400],
      [`enrollments?person=${lin.person}`, 403],
      [`attempts?person=${lin.person}`, 403],
      [`reports/team-compliance?manager=${max.person}`, 403],
      ['audit/replay', 403],
    ])('when they ask for %s, then %d', async (path, status) => {
      expect(await statusOf(manager, `/v1/${path}`)).toBe(status);
    });

    it('when others report to those who report to them, then they see those too', async () => {
      const director = await as('manager', carla.person);
      for (const { person } of everybody) expect(await statusOf(director, `/v1/people/${person}`)).toBe(200);
      expect(await statusOf(director, `/v1/teams/${max.person}`)).toBe(200);
      expect(await statusOf(director, `/v1/people?manager=${mia.person}`)).toBe(200);
    });

    it('when somebody moves to another team, then the old manager no longer sees them and the new one does', async () => {
      const mover = hired({ manager: mia.person });
      await admin.command('hire-person', mover);
      await admin.command('enroll-learner', { person: mover.person, course: 'safety' });
      const before = await admin.settled();
      const newManager = await as('manager', max.person);
      const sees = async (client: ApiClient, minPosition: string): Promise<number> =>
        (await client.get(`/v1/people/${mover.person}/transcript`, { minPosition })).status;
      expect([await sees(manager, before), await sees(newManager, before)]).toEqual([200, 403]);

      const move = { person: mover.person, orgUnit: 'd004', manager: max.person };
      await admin.command('transfer-person', move);
      const after = await admin.settled();
      expect([await sees(manager, after), await sees(newManager, after)]).toEqual([403, 200]);
      const members = async (of: string): Promise<string[]> =>
        (await admin.read<TeamProgress>(`/v1/teams/${of}`)).members.map(({ person }) => person);
      expect(await members(mia.person)).not.toContain(mover.person);
      expect(await members(max.person)).toContain(mover.person);
      await admin.command('terminate-person', { person: mover.person });
      await admin.settled();
      expect(await members(max.person)).not.toContain(mover.person);
    });

    it('when their token is of another tenant, then they see nobody', async () => {
      const stranger = await used.stack.as('manager', { tenant: newTenant(), sub: mia.person });
      expect(await statusOf(stranger, `/v1/people/${lea.person}`)).toBe(403);
    });
  });

  it.each<Role>(['analyst', 'compliance', 'admin', 'service'])(
    'given the role %s, then it sees the whole tenant and no other',
    async (role) => {
      const here = await as(role);
      const people = await here.read<PersonDocument[]>('/v1/people');
      expect(people.map(({ employeeNumber }) => employeeNumber)).toEqual(
        expect.arrayContaining(everybody.map(({ employeeNumber }) => employeeNumber)),
      );
      for (const path of [`people/${lin.person}/transcript`, 'enrollments', 'attempts', `teams/${carla.person}`])
        expect(await statusOf(here, `/v1/${path}`)).toBe(200);
      const elsewhere = await used.stack.as(role, { tenant: newTenant() });
      expect(await elsewhere.read('/v1/people')).toEqual([]);
      expect(await elsewhere.read('/v1/enrollments')).toEqual([]);
      expect(await statusOf(elsewhere, `/v1/people/${lea.person}`)).toBe(404);
    },
  );

  it.each<[Role, number]>([
    ['compliance', 200],
    ['admin', 403],
    ['analyst', 403],
    ['service', 403],
    ['manager', 403],
    ['learner', 403],
  ])('given the role %s, when the log is replayed, then %d', async (role, status) => {
    expect(await statusOf(await as(role, lea.person), '/v1/audit/replay')).toBe(status);
  });
});
