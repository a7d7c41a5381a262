import { randomUUID } from 'node:crypto';
import { Long, MongoClient } from 'mongodb';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { TranscriptDocument } from '../../projections/mongo/transcripts';
import { collectionName } from '../../packages/eventsourcing';
import { people as peopleReadModel } from '../../projections/mongo/people';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant, published } from './records';
import { useStack } from './running-stack';

const used = useStack();

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

  /** Those values whose command was answered in a way that is neither of these. */
  async function answeredOtherwise<Value>(
    values: readonly Value[],
    allowed: readonly number[],
    send: (value: Value) => Promise<{ status: number }>,
  ): Promise<[Value, number][]> {
    const answers = await Promise.all(
      values.map(async (value): Promise<[Value, number]> => [value, (await send(value)).status]),
    );
    return answers.filter(([, status]) => !allowed.includes(status));
  }

  it('given due dates of every kind, then each is refused or the stores agree about what is overdue', async () => {
    const dates = [
      '2020-W05',
      '2020-045',
      '20200101',
      '2020-04',
      '2020-04-09T10:00:00Z',
      '1850-01-01',
      '2500-01-01',
      '9999-12-31',
    ];
    const enroll = async (dueOn: string): Promise<{ status: number }> => {
      const member = hired({ manager: randomUUID() });
      await admin.command('hire-person', member);
      return admin.send('enroll-learner', { person: member.person, course: 'safety', dueOn });
    };
    expect(await answeredOtherwise(dates, [200, 400], enroll)).toEqual([]);
    await expectStoresToAgree();
  });

  it('given something that happened long ago or far ahead, then it is refused or the stores agree about it', async () => {
    const enroll = (occurredAt: string): Promise<{ status: number }> =>
      admin.send('enroll-learner', { person: hired().person, course: 'safety', occurredAt });
    expect(await answeredOtherwise(['1850-01-01', '2250-01-01', '9999-12-31'], [200, 400], enroll)).toEqual([]);
    await expectStoresToAgree();
  });

  it('given course ids that mean something elsewhere, then they stand in the transcript like any other', async () => {
    const courses = ['constructor', 'toString', 'a.b', '0'];
    const learners = courses.map((course) => ({ course, ...hired() }));
    for (const { person, course } of learners) {
      await admin.command('enroll-learner', { person, course: 'safety' });
      await admin.command('enroll-learner', { person, course });
      await admin.command('record-attempt', attempted(person, course, 50));
    }
    await expectStoresToAgree();
    for (const { person, course } of learners) {
      const transcript = await admin.read<TranscriptDocument>(`/v1/people/${person}/transcript`);
      expect(Object.keys(transcript.courses).sort()).toEqual([course, 'safety'].sort());
      expect(Object.values(transcript.courses[course]!.attempts)).toEqual([expect.objectContaining({ scaled: 0.5 })]);
    }
  });

  it('given names in every script, and what is none, then each is refused or the stores agree about it', async () => {
    const zeroByte = 'Ada\u0000';
    const halfOfAPair = 'Ada\ud800';
    const decomposed = 'A\u030ada';
    const rightToLeft = 'עדה';
    const hire = (given: string): Promise<{ status: number }> =>
      admin.send('hire-person', hired({ name: { given, family: 'Byron' } }));
    const names = [zeroByte, halfOfAPair, 'Ada 👩🏽‍💻', decomposed, rightToLeft];
    expect(await answeredOtherwise(names, [200, 400], hire)).toEqual([]);
    await expectStoresToAgree();
  });

  it('given scores at the edge of what a number can be, then each is refused or the stores agree about it', async () => {
    const scores = [
      { raw: 1e308, min: -1.7e308, max: 1.7e308, passMark: 0 },
      { raw: 5e-324, min: 0, max: 5e-324, passMark: 0 },
      { raw: 0.1, min: 0, max: 0.3, passMark: 0.1 },
      { raw: -0, min: -1, max: 1, passMark: 0 },
    ];
    const record = (score: object): Promise<{ status: number }> =>
      admin.send('record-attempt', { ...attempted(hired().person, 'safety'), score });
    expect(await answeredOtherwise(scores, [200, 400, 422], record)).toEqual([]);
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
