import { EventStoreDBClient } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import type { Report } from '../../apps/reports/reports.controller';
import { enrollmentIdOf } from '../../packages/enrollment';
import { personIdOf } from '../../packages/people';
import type { TeamCompliance } from '../../projections/expected-reports';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { PersonDocument } from '../../projections/mongo/people';
import type { TeamProgress } from '../../projections/mongo/team-progress';
import type { ApiClient } from './api-client';
import { cloudEvent, HrisFeed } from './hris-feed';
import { newId, newTenant } from './records';
import { useStack } from './running-stack';

describe('The HRIS', () => {
  const used = useStack();
  let hris: HrisFeed;
  let admin: ApiClient;

  beforeAll(async () => {
    hris = await HrisFeed.connect(used.stack.urls.nats!);
    admin = await used.stack.as('admin');
  });
  afterAll(() => hris.close());

  const hireData = (employeeNumber: string, more: object = {}) => ({
    employeeNumber,
    effectiveOn: '2026-01-05',
    name: { given: 'Ada', family: 'Byron' },
    email: 'ada@example.com',
    jobTitle: 'Senior Engineer',
    orgUnit: 'd005',
    ...more,
  });

  async function personOf(employeeNumber: string, client = admin): Promise<PersonDocument> {
    const minPosition = await client.settled();
    const [person] = await client.read<PersonDocument[]>('/v1/people', { employeeNumber, minPosition });
    return person!;
  }

  async function revisionOf(employeeNumber: string): Promise<number> {
    const store = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
    let revision = -1;
    const stream = `acme.person-${personIdOf('acme', employeeNumber)}`;
    for await (const { event } of store.readStream(stream)) revision = Number(event!.revision);
    await store.dispose();
    return revision;
  }

  it('given the facts of a career, then people shows each step', async () => {
    const [employeeNumber, first, second] = [newId('e'), newId('m'), newId('m')];
    expect(await hris.publish('hired', hireData(employeeNumber, { manager: first }))).toMatchObject({
      outcome: 'accepted',
    });
    expect(await personOf(employeeNumber)).toMatchObject({
      id: personIdOf('acme', employeeNumber),
      employeeNumber,
      name: { given: 'Ada', family: 'Byron' },
      email: 'ada@example.com',
      status: 'active',
      jobTitle: 'Senior Engineer',
      role: 'senior-engineer',
      orgUnit: 'd005',
      manager: personIdOf('acme', first),
      hiredOn: '2026-01-05',
      terminatedOn: null,
    });
    await hris.publish('role-changed', { employeeNumber, effectiveOn: '2026-02-01', jobTitle: 'Technique Leader' });
    await hris.publish('transferred', { employeeNumber, effectiveOn: '2026-03-01', orgUnit: 'd004', manager: second });
    expect(await personOf(employeeNumber)).toMatchObject({
      jobTitle: 'Technique Leader',
      role: 'technique-leader',
      orgUnit: 'd004',
      manager: personIdOf('acme', second),
    });
    await hris.publish('terminated', { employeeNumber, effectiveOn: '2026-04-30' });
    expect(await personOf(employeeNumber)).toMatchObject({ status: 'terminated', terminatedOn: '2026-04-30' });
    expect(await revisionOf(employeeNumber)).toBe(3);
  });

  it('given many facts about one person at once, then they are applied in their order', async () => {
    const employeeNumber = newId('e');
    const titles = Array.from({ length: 40 }, (_, index) => `Grade ${index}`);
    const receipts = await Promise.all([
      hris.publish('hired', hireData(employeeNumber)),
      ...titles.map((jobTitle) =>
        hris.publish('role-changed', { employeeNumber, jobTitle, effectiveOn: '2026-02-01' }),
      ),
    ]);
    expect(receipts.every(({ outcome }) => outcome === 'accepted')).toBe(true);
    expect(await personOf(employeeNumber)).toMatchObject({ jobTitle: 'Grade 39', role: 'grade-39' });
  });

  it('given a tenant in the subject, then the fact belongs to that tenant', async () => {
    const tenant = newTenant();
    const employeeNumber = newId('e');
    await hris.publish('hired', hireData(employeeNumber), { tenant });
    const elsewhere = await used.stack.as('admin', { tenant });
    expect(await personOf(employeeNumber, elsewhere)).toMatchObject({ tenant });
    expect(await personOf(employeeNumber)).toBeUndefined();
  });

  describe('given a CloudEvent that was applied', () => {
    it('when it is published again, then the receipt says known and nothing changes', async () => {
      const [employeeNumber, id] = [newId('e'), randomUUID()];
      const promotion = JSON.stringify(
        cloudEvent(id, 'role-changed', { employeeNumber, jobTitle: 'Technique Leader', effectiveOn: '2026-02-01' }),
      );
      // Without Nats-Msg-Id the stream itself cannot tell; a day later neither could it with one.
      const promote = () => hris.publishRaw('hris.acme.person.role-changed', promotion);
      await hris.publish('hired', hireData(employeeNumber));
      expect(await promote()).toEqual({ id: '', outcome: 'accepted' });
      await hris.publish('role-changed', { employeeNumber, jobTitle: 'Staff', effectiveOn: '2026-03-01' });
      expect(await promote()).toEqual({ id: '', outcome: 'already-known' });
      expect(await personOf(employeeNumber)).toMatchObject({ role: 'staff' });
      expect(await revisionOf(employeeNumber)).toBe(2);
    });

    it('when another source uses the same id, then it is another fact', async () => {
      const [employeeNumber, id] = [newId('e'), randomUUID()];
      await hris.publish('hired', hireData(employeeNumber), { id });
      const fact = { ...cloudEvent(id, 'role-changed', { employeeNumber, jobTitle: 'Staff' }), source: 'payroll' };
      expect(await hris.publishRaw('hris.acme.person.role-changed', JSON.stringify(fact))).toMatchObject({
        outcome: 'accepted',
      });
    });
  });

  describe('given a message that cannot be applied', () => {
    const employeeNumber = newId('e');
    const json = (value: unknown): string => JSON.stringify(value);
    const fact = (data: object, attributes: object = {}): string =>
      json({ ...cloudEvent(randomUUID(), 'hired', data), ...attributes });
    const own = newId('e');

    it.each<[string, string, string, RegExp]>([
      ['no JSON', 'person.hired', '{"specversion": ', /^UnusableFactError: the message is not JSON/],
      ['no text at all', 'person.hired', '\u0000\u0001', /not JSON/],
      ['no object', 'person.hired', '[1]', /must be one CloudEvent/],
      ['no CloudEvent', 'person.hired', json({ id: '1' }), /specversion/],
      ['no id', 'person.hired', fact(hireData(employeeNumber), { id: '' }), /id: must be a text/],
      ['no data', 'person.hired', fact({}, { data: null }), /data: must be an object/],
      ['no employee number', 'person.hired', fact({}), /employeeNumber/],
      ['no date', 'person.hired', fact(hireData(employeeNumber, { effectiveOn: 'soon' })), /effectiveOn/],
      ['no time', 'person.hired', fact(hireData(employeeNumber, { effectiveOn: undefined }), { time: 'x' }), /time/],
      ['a bad e-mail address', 'person.hired', fact(hireData(employeeNumber, { email: 'x' })), /InvalidCommand.*email/],
      ['an unknown kind of fact', 'person.promoted', fact(hireData(employeeNumber)), /subject/],
      ['an unknown kind of thing', 'robot.hired', fact(hireData(employeeNumber)), /subject/],
      [
        'a fact that a rule refuses',
        'person.transferred',
        fact({ employeeNumber: own, orgUnit: 'd005', manager: own }),
        /DomainError.*own manager/,
      ],
    ])(
      'when it holds %s, then it stands in the dead letters and the next fact passes',
      async (_, kind, payload, why) => {
        const subject = `hris.acme.${kind}`;
        const receipt = await hris.publishRaw(subject, payload);
        expect(receipt).toMatchObject({ outcome: 'refused', reason: expect.any(String) as string });
        expect((await hris.deadLetters()).at(-1)).toEqual({
          subject: `dead-letter.${subject}`,
          reason: expect.stringMatching(why) as string,
          payload,
        });
        expect(await hris.publish('hired', hireData(newId('e')))).toMatchObject({ outcome: 'accepted' });
      },
    );

    it('when its tenant cannot be, then it stands in the dead letters too', async () => {
      const receipt = await hris.publishRaw('hris.ACME.person.hired', fact(hireData(employeeNumber)));
      expect(receipt.outcome).toBe('refused');
    });
  });

  it('given a rule, when somebody is promoted, then they are enrolled, due, and on their manager’s dashboard', async () => {
    const tenant = newTenant();
    const tenantAdmin = await used.stack.as('admin', { tenant });
    const course = 'leadership-level-1';
    const rule = {
      rule: 'leaders',
      audience: { anyOf: [{ roles: ['technique-leader'] }] },
      courses: [course],
      occurredAt: '2026-01-01',
    };
    await tenantAdmin.command('publish-course', { course, title: 'Leadership Level 1' });
    await tenantAdmin.command('publish-assignment-rule', { ...rule, due: { kind: 'in-days', days: 90 } });
    await tenantAdmin.command('publish-assignment-rule', { ...rule, due: { kind: 'in-days', days: 30 } });
    await hris.publish('hired', hireData('boss'), { tenant });
    await hris.publish('hired', hireData('other-boss'), { tenant });
    await hris.publish('hired', hireData('ada', { manager: 'boss' }), { tenant });
    const promotion = randomUUID();
    const promoted = { employeeNumber: 'ada', effectiveOn: '2026-03-10', jobTitle: 'Technique Leader' };
    await hris.publish('role-changed', promoted, { tenant, id: promotion });
    await tenantAdmin.settled();

    const [ada, boss, otherBoss] = ['ada', 'boss', 'other-boss'].map((number) => personIdOf(tenant, number));
    const store = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
    const history: { id: string; type: string; metadata: unknown }[] = [];
    for await (const { event } of store.readStream(`${tenant}.person-${ada}`)) history.push(event!);
    await store.dispose();
    expect(history[1]).toMatchObject({
      type: 'RoleChanged',
      metadata: { actor: { sub: 'hris', via: 'hris' }, $causationId: promotion, $correlationId: promotion },
    });

    const enrollments = await tenantAdmin.read<EnrollmentDocument[]>('/v1/enrollments', { person: ada! });
    expect(enrollments).toEqual([
      expect.objectContaining({
        id: enrollmentIdOf(ada!, course),
        course,
        status: 'open',
        reason: { kind: 'rule', rule: 'leaders', ruleVersion: 2, cause: history[1]!.id },
        enrolledAt: '2026-03-10T00:00:00.000Z',
        dueOn: '2026-04-09',
      }),
    ]);

    const manager = await used.stack.as('manager', { tenant, sub: boss! });
    const team = await manager.read<TeamProgress>(`/v1/teams/${boss}`);
    expect(team.members).toEqual([
      expect.objectContaining({ person: ada, employeeNumber: 'ada', role: 'technique-leader', assigned: 1, open: 1 }),
    ]);
    const other = await used.stack.as('manager', { tenant, sub: otherBoss! });
    expect((await other.read<TeamProgress>(`/v1/teams/${otherBoss}`)).members).toEqual([]);

    const report = await manager.read<Report<TeamCompliance>>('/v1/reports/team-compliance', { asOf: '2026-04-09' });
    const row = { manager: boss, managerEmployeeNumber: 'boss', members: 1, assigned: 1, open: 1, completed: 0 };
    expect(report.rows).toEqual([expect.objectContaining({ ...row, overdue: 0 })]);
    const later = await manager.read<Report<TeamCompliance>>('/v1/reports/team-compliance', { asOf: '2026-04-10' });
    expect(later.rows).toEqual([expect.objectContaining({ ...row, overdue: 1 })]);
  });
});
