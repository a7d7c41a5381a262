import { randomUUID } from 'node:crypto';
import type { Answer } from '../../projections/mongo/collection';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { JobTitleDocument } from '../../projections/mongo/job-titles';
import type { NotificationDocument } from '../../projections/mongo/notifications';
import type { PersonDocument } from '../../projections/mongo/people';
import type { TeamProgress } from '../../projections/mongo/team-progress';
import { personIdOf } from '../../packages/people';
import type { ApiClient } from './api-client';
import { HrisFeed } from './hris-feed';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';

const today = new Date().toISOString().slice(0, 10);
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe('Compliance', () => {
  const used = useStack();
  let hris: HrisFeed;
  let tenant: string;
  let admin: ApiClient;

  beforeAll(async () => {
    hris = await HrisFeed.connect(used.stack.urls.nats!);
  });
  afterAll(() => hris.close());
  beforeEach(async () => {
    tenant = newTenant();
    admin = await used.stack.as('admin', { tenant });
  });

  const person = (id: string) => admin.read<Answer<PersonDocument>>(`/v1/people/${id}`);
  const enrollmentsOf = (id: string) => admin.read<Answer<EnrollmentDocument>[]>('/v1/enrollments', { person: id });

  it('given a title that nobody mapped, when it is mapped, then whoever holds it takes on the role and what it requires', async () => {
    await admin.command('publish-assignment-rule', {
      rule: 'leaders',
      audience: { anyOf: [{ roles: ['leader'] }] },
      courses: ['leadership'],
      occurredAt: '2020-01-01',
    });
    const fact = { employeeNumber: '1', jobTitle: 'Head of Things', orgUnit: 'd1', effectiveOn: '2026-01-01' };
    await hris.publish('hired', fact, { tenant });
    await admin.settled();
    const ada = personIdOf(tenant, '1');
    expect(await person(ada)).toMatchObject({ role: 'head-of-things' });
    const unmapped = await admin.read<JobTitleDocument[]>('/v1/job-titles', { mapped: 'false' });
    expect(unmapped).toMatchObject([{ jobTitle: 'Head of Things', role: 'head-of-things', firstHeldOn: '2026-01-01' }]);

    await admin.command('map-job-title', { jobTitle: 'Head of Things', role: 'leader' });
    await admin.settled();
    expect(await person(ada)).toMatchObject({ jobTitle: 'Head of Things', role: 'leader' });
    expect(await enrollmentsOf(ada)).toMatchObject([{ course: 'leadership', status: 'open', rules: ['leaders'] }]);
    expect(await admin.read('/v1/job-titles', { mapped: 'false' })).toEqual([]);
  });

  it('given a manager who leaves, then their people report to the next one up until the HRIS says otherwise', async () => {
    const [top, middle] = [hired(), hired()];
    const member = hired({ manager: middle.person });
    for (const one of [top, { ...middle, manager: top.person }, member]) await admin.command('hire-person', one);
    const teamOf = async (manager: string): Promise<string[]> =>
      (await admin.read<TeamProgress>(`/v1/teams/${manager}`)).members.map((each) => each.person);
    await admin.settled();
    expect(await teamOf(middle.person)).toEqual([member.person]);

    await admin.command('terminate-person', { person: middle.person });
    await admin.settled();
    expect(await teamOf(top.person)).toEqual([member.person]);

    const other = hired();
    await admin.command('hire-person', other);
    await admin.command('transfer-person', { person: member.person, orgUnit: 'd2', manager: other.person });
    await admin.settled();
    expect([await teamOf(top.person), await teamOf(other.person)]).toEqual([[], [member.person]]);
  });

  it('given two managers who are to report to each other, then the later claim is refused and nobody is lost', async () => {
    const [one, other] = [hired({ occurredAt: '2026-01-01' }), hired({ occurredAt: '2026-01-01' })];
    for (const each of [one, other]) await admin.command('hire-person', each);
    const under = (who: string, manager: string, occurredAt: string) =>
      admin.command('transfer-person', { person: who, orgUnit: 'd5', manager, occurredAt });
    await under(one.person, other.person, '2026-02-01');
    await under(other.person, one.person, '2026-03-01');
    await admin.settled();
    expect([await person(one.person), await person(other.person)]).toMatchObject([
      { manager: other.person },
      { manager: null },
    ]);
  });

  it('given a course that an assessment completes, when it is passed, then the person is certified, and it is to be renewed in time', async () => {
    const course = 'first-aid';
    const recertification = {
      opensDaysBefore: 400,
      renewsFrom: 'completion',
      lateRenewsFrom: 'completion',
      alignsNewHiresWithinDays: 0,
    };
    const rule = { rule: 'all', audience: { everyone: true }, courses: [course], recertification };
    await admin.command('publish-course', {
      course,
      title: 'First aid',
      assessment: 'quiz',
      validity: { kind: 'days', days: 365 },
    });
    await admin.command('publish-assignment-rule', { ...rule, due: { kind: 'in-days', days: 14 } });
    const learner = hired();
    await admin.command('hire-person', learner);
    await admin.settled();
    expect(await enrollmentsOf(learner.person)).toMatchObject([{ status: 'open', dueOn: inDays(14) }]);

    await admin.command('record-attempt', attempted(learner.person, course, 20));
    await admin.command('record-attempt', attempted(learner.person, course, 90));
    await admin.settled();
    const [enrollment] = await enrollmentsOf(learner.person);
    expect(enrollment!.certificate).toEqual({
      certifiedOn: today,
      expiresOn: inDays(365),
      renewalOpensOn: inDays(365 - 400),
    });
    const own = await used.stack.as('learner', { tenant, sub: learner.person });
    const told = await own.read<NotificationDocument[]>('/v1/notifications', { person: learner.person });
    expect(told).toEqual(expect.arrayContaining([expect.objectContaining({ stage: 'assigned', status: 'pending' })]));
  });

  it('given people, when a rule is published, then it is brought to bear on everybody whom it touches, and retired again', async () => {
    const people = Array.from({ length: 20 }, (_, n) => hired({ role: n % 2 ? 'nurse' : 'clerk' }));
    for (const each of people) await admin.command('hire-person', each);
    const rule = { rule: 'nurses', audience: { anyOf: [{ roles: ['nurse'] }] }, courses: ['hygiene'] };
    await admin.command('publish-assignment-rule', rule);
    await admin.settled();
    const enrolled = async (status: string) =>
      (await admin.read<EnrollmentDocument[]>('/v1/enrollments', { course: 'hygiene' }))
        .filter((each) => each.status === status)
        .map((each) => each.person)
        .sort();
    const nurses = people.filter(({ role }) => role === 'nurse').map((each) => each.person);
    expect(await enrolled('open')).toEqual(nurses.sort());
    await admin.command('retire-assignment-rule', { rule: 'nurses' });
    await admin.settled();
    expect([await enrolled('open'), await enrolled('withdrawn')]).toEqual([[], nurses]);
  });

  it('given a learner, then they may enrol themselves, and nobody else, and in no other name', async () => {
    const me = randomUUID();
    const learner = await used.stack.as('learner', { tenant, sub: me });
    const reason = { kind: 'self' };
    const answers = [
      await learner.send('enroll-learner', { person: me, course: 'yoga', reason }),
      await learner.send('enroll-learner', { person: randomUUID(), course: 'yoga', reason }),
      await learner.send('enroll-learner', { person: me, course: 'chess' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403]);
  });
});
