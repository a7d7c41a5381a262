import { randomUUID } from 'node:crypto';
import { Long, MongoClient } from 'mongodb';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { Status } from '../../apps/reports/status.controller';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { TranscriptDocument } from '../../projections/mongo/transcripts';
import { collectionName } from '../../packages/eventsourcing';
import { people as peopleReadModel } from '../../projections/mongo/people';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant, published } from './records';
import { useOwnStack } from './running-stack';

const used = useOwnStack();

/** Values that a sender may well send: each is either refused with its reason or means the same to every store. */
describe('Unusual values', () => {
  let admin: ApiClient;
  let compliance: ApiClient;

  beforeEach(async () => {
    const tenant = newTenant();
    admin = await used.stack.as('admin', { tenant });
    compliance = await used.stack.as('compliance', { tenant });
  });

  async function expectStoresToAgree(): Promise<void> {
    await admin.settled();
    const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check!.differences).toEqual([]);
  }

  it('given a fresh stack, when it says that it is ready, then reports answer and every consumer is named', async () => {
    const [report, status] = await Promise.all([
      admin.get('/v1/reports/course-outcomes'),
      admin.read<Status>('/v1/status'),
    ]);
    expect(report.status).toBe(200);
    expect(Object.keys(status.consumers)).toEqual(
      expect.arrayContaining(['mongo', 'clickhouse', expect.stringMatching(/^assignment/)]),
    );
  });

  it.each(['2026-W05', '2026-W05-1', '2026-045', '20260101'])(
    'given %s, which ISO 8601 allows, when it is a moment, then it is understood or refused as a field',
    async (moment) => {
      const answers = await Promise.all([
        admin.send('publish-course', { ...published(), occurredAt: moment }),
        admin.get('/v1/reports/course-outcomes', { asOf: moment }),
        compliance.get('/v1/audit/replay', { asOf: moment }),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([]);
    },
  );

  it.each([
    '2020-W05',
    '2020-045',
    '20200101',
    '2020-04',
    '2020-04-09T10:00:00Z',
    '1850-01-01',
    '2500-01-01',
    '9999-12-31',
  ])('given the due date %s, then it is refused or the stores agree about what is overdue', async (dueOn) => {
    const member = hired({ manager: randomUUID() });
    await admin.command('hire-person', member);
    const { status } = await admin.send('enroll-learner', { person: member.person, course: 'safety', dueOn });
    expect([200, 400]).toContain(status);
    await expectStoresToAgree();
  });

  it.each(['1850-01-01', '2250-01-01', '9999-12-31'])(
    'given something that happened on %s, then it is refused or the stores agree about it',
    async (occurredAt) => {
      const { person } = hired();
      const { status } = await admin.send('enroll-learner', { person, course: 'safety', occurredAt });
      expect([200, 400]).toContain(status);
      await expectStoresToAgree();
    },
  );

  it.each(['constructor', 'toString', 'a.b', '0'])(
    'given the course id %s, then it stands in the transcript like any other',
    async (course) => {
      const { person } = hired();
      await admin.command('enroll-learner', { person, course: 'safety' });
      await admin.command('enroll-learner', { person, course });
      await admin.command('record-attempt', attempted(person, course, 50));
      await expectStoresToAgree();
      const { courses } = await admin.read<TranscriptDocument>(`/v1/people/${person}/transcript`);
      expect(Object.keys(courses).sort()).toEqual([course, 'safety'].sort());
      expect(Object.values(courses[course]!.attempts)).toEqual([expect.objectContaining({ scaled: 0.5 })]);
    },
  );

  it.each([
    ['a zero byte', 'Ada\u0000'],
    ['half a surrogate pair', 'Ada\ud800'],
    ['an emoji', 'Ada 👩🏽‍💻'],
    ['decomposed letters', 'A\u030ada'],
    ['right-to-left letters', 'עדה'],
  ])('given a name with %s, then it is refused or the stores agree about it', async (_, given) => {
    const { status } = await admin.send('hire-person', hired({ name: { given, family: 'Byron' } }));
    expect([200, 400]).toContain(status);
    await expectStoresToAgree();
  });

  it.each([
    { raw: 1e308, min: -1.7e308, max: 1.7e308, passMark: 0 },
    { raw: 5e-324, min: 0, max: 5e-324, passMark: 0 },
    { raw: 0.1, min: 0, max: 0.3, passMark: 0.1 },
    { raw: -0, min: -1, max: 1, passMark: 0 },
  ])('given the score %j, then it is refused or the stores agree about it', async (score) => {
    const { person } = hired();
    const { status } = await admin.send('record-attempt', { ...attempted(person, 'safety'), score });
    expect([200, 400, 422]).toContain(status);
    await expectStoresToAgree();
  });

  it('given a document that was changed along with its position, when the stores are checked, then it is named', async () => {
    const person = hired();
    await admin.command('hire-person', person);
    await admin.settled();
    const mongo = new MongoClient(used.stack.urls.mongodb);
    const people = mongo
      .db()
      .collection<{ _id: string; role: string; position: Long }>(collectionName(peopleReadModel));
    await people.updateOne({ _id: person.person }, { $set: { role: 'chief', position: Long.fromNumber(2 ** 52) } });
    await mongo.close();
    const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check!.differences).toEqual([expect.objectContaining({ where: 'mongodb people', id: person.person })]);
  });
});

describe('A workflow whose command cannot be', () => {
  it('given somebody hired at the end of time, when others are hired, then they are enrolled as the rules say', async () => {
    const admin = await used.stack.as('admin', { tenant: newTenant() });
    await admin.command('publish-assignment-rule', {
      rule: 'all',
      audience: { everyone: true },
      courses: ['safety'],
      due: { kind: 'in-days', days: 30 },
    });
    await admin.send('hire-person', hired({ occurredAt: '9999-12-20' }));
    const { person } = hired();
    await admin.command('hire-person', hired({ person }));
    await admin.settled();
    const enrollments = await admin.read<EnrollmentDocument[]>('/v1/enrollments', { person });
    expect(enrollments).toEqual([expect.objectContaining({ course: 'safety' })]);
  });
});
