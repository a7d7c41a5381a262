import { createClient } from '@clickhouse/client';
import { MongoClient } from 'mongodb';
import type { Difference } from '../../apps/audit/check';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import { enrollmentIdOf } from '../../packages/enrollment';
import { collectionName } from '../../packages/eventsourcing';
import { attempts } from '../../projections/mongo/attempts';
import { enrollments } from '../../projections/mongo/enrollments';
import { people } from '../../projections/mongo/people';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';

describe('Audit', () => {
  const used = useStack();
  const tenant = newTenant();
  const hiredOn = { occurredAt: '2026-01-01T00:00:00Z' };
  const mia = hired({ ...hiredOn, employeeNumber: 'mia' });
  const lea = hired({ ...hiredOn, employeeNumber: 'lea', manager: mia.person });
  const luis = hired({ ...hiredOn, employeeNumber: 'luis', manager: mia.person });
  const leasAttempt = attempted(lea.person, 'safety', 80);
  const luisAttempt = attempted(luis.person, 'safety', 20);
  const privacyAttempt = attempted(lea.person, 'privacy', 60);
  let admin: ApiClient;
  let compliance: ApiClient;
  /** Where the log has what the stores are changed about. */
  const positions: Record<string, string> = {};

  beforeAll(async () => {
    admin = await used.stack.as('admin', { tenant });
    compliance = await used.stack.as('compliance', { tenant });
    const on = (day: string): { occurredAt: string } => ({ occurredAt: `2026-${day}T12:00:00Z` });
    for (const person of [mia, lea, luis]) await admin.command('hire-person', person);
    await admin.command('enroll-learner', { person: lea.person, course: 'safety', ...on('01-10') });
    await admin.command('enroll-learner', { person: luis.person, course: 'safety', ...on('01-10') });
    await admin.command('record-attempt', { ...leasAttempt, ...on('02-01') });
    const at = async (name: string, command: string, data: object): Promise<void> => {
      positions[name] = (await admin.command(command, data)).position;
    };
    await at('luisAttempt', 'record-attempt', { ...luisAttempt, ...on('02-02') });
    await at('completed', 'complete-enrollment', { person: lea.person, course: 'safety', ...on('02-03') });
    await at('privacyAttempt', 'record-attempt', { ...privacyAttempt, ...on('03-01') });
    await admin.settled();
  });

  const replay = (parameters: Record<string, string> = {}): Promise<ReplayAnswer> =>
    compliance.read('/v1/audit/replay', parameters);

  describe('given a history', () => {
    it('when the tenant is replayed, then every document of the read models comes out', async () => {
      const { scope, events, documents, courseOutcomes, teamCompliance } = await replay();
      expect(scope).toEqual({ tenant });
      expect(events).toBe(9 + 3); // and whom each of them reports to
      const learning = { enrollments: 2, attempts: 3, transcripts: 2, deadlines: 1, notifications: 0 };
      const taken = { assessments: 0, 'attempt-papers': 0 };
      expect(documents).toEqual({ people: 3, team_progress: 3, job_titles: 1, permissions: 0, ...learning, ...taken });
      expect(courseOutcomes).toMatchObject([
        { course: 'privacy', enrolled: 0, attempts: 1, passed: 1, meanScore: 60 },
        { course: 'safety', enrolled: 2, completed: 1, attempts: 2, passed: 1, meanScore: 50 },
      ]);
      expect(teamCompliance).toMatchObject([{ manager: mia.person, members: 2, assigned: 2, completed: 1 }]);
    });

    it('when one person is replayed, then only their history comes out', async () => {
      const { events, state } = await replay({ person: lea.person });
      expect(events).toBe(5 + 1);
      expect(state).toMatchObject({
        people: [{ _id: lea.person, employeeNumber: 'lea', manager: mia.person }],
        enrollments: [{ course: 'safety', status: 'completed' }],
        attempts: expect.arrayContaining([expect.objectContaining({ _id: leasAttempt.attempt })]) as unknown[],
        transcripts: [{ _id: lea.person }],
      });
    });

    it('when one course is replayed, then only its history comes out', async () => {
      const { events, documents, courseOutcomes } = await replay({ course: 'privacy' });
      expect(events).toBe(1);
      expect(documents).toEqual({ enrollments: 0, attempts: 1, deadlines: 0, notifications: 0 });
      expect(courseOutcomes).toEqual([expect.objectContaining({ course: 'privacy', attempts: 1 })]);
    });

    it('when it is replayed as of a date, then what happened later is left out', async () => {
      const { asOf, events, courseOutcomes } = await replay({ asOf: '2026-02-01' });
      expect(asOf.effective).toBe('2026-02-01T23:59:59.999Z');
      expect(events).toBe(6 + 3);
      expect(courseOutcomes).toEqual([
        expect.objectContaining({ course: 'safety', enrolled: 2, completed: 0, attempts: 1, passed: 1 }),
      ]);
    });

    it('when it is replayed twice, then the digests are equal, and differ after a new event', async () => {
      const first = await replay();
      const ofLuis = await replay({ person: luis.person });
      const ofJanuary = await replay({ asOf: '2026-01-31' });
      expect(first.digest).toMatch(/^[0-9a-f]{64}$/);
      expect((await replay()).digest).toBe(first.digest);

      const event = { person: lea.person, course: 'fire', occurredAt: '2026-03-02T00:00:00Z' };
      const { position } = await admin.command('enroll-learner', event);
      const later = await replay();
      expect(later.digest).not.toBe(first.digest);
      expect(later.asOf.position).toBe(position);
      expect((await replay({ person: luis.person })).digest).toBe(ofLuis.digest);
      expect((await replay({ asOf: '2026-01-31' })).digest).toBe(ofJanuary.digest);
    });

    it('when person and course, or check and a date, are combined, then 400', async () => {
      const both = await compliance.get('/v1/audit/replay', { person: lea.person, course: 'safety' });
      const past = await compliance.get('/v1/audit/replay', { check: 'true', asOf: '2026-01-31' });
      expect([both.status, past.status]).toEqual([400, 400]);
    });
  });

  describe('given stores that nobody touched', () => {
    it.each<[string, string[]]>([
      ['the tenant', []],
      ['a person', ['--person', lea.person]],
      ['a course', ['--course', 'safety']],
    ])('when %s is checked, then the stores agree with the log', async (_, scope) => {
      const { code, stdout } = await used.stack.cli(
        'audit',
        'replay',
        '--tenant',
        tenant,
        '--check',
        '--json',
        ...scope,
      );
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ check: { ok: true, differing: 0, differences: [] } });
    });
  });

  describe('given stores that were changed behind its back', () => {
    const leasEnrollment = enrollmentIdOf(lea.person, 'safety');
    const foreign = '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11';
    let digest: string;
    let passedInstead: Difference;
    let gone: Difference;
    let failedInstead: Difference;

    beforeAll(async () => {
      await admin.settled();
      digest = (await replay()).digest;
      const facts = { attempt: 'clickhouse member_attempts', enrollment: 'clickhouse member_facts' };
      passedInstead = { where: facts.attempt, id: positions.luisAttempt!, kind: 'different', fields: ['passed'] };
      gone = { where: facts.attempt, id: positions.privacyAttempt!, kind: 'missing' };
      failedInstead = { where: facts.enrollment, id: positions.completed!, kind: 'different', fields: ['status'] };
      const mongo = new MongoClient(used.stack.urls.mongodb);
      const db = mongo.db();
      type Stored = { _id: string; [field: string]: unknown };
      await db
        .collection<Stored>(collectionName(attempts))
        .updateOne({ _id: luisAttempt.attempt }, { $set: { 'grade.passed': true } });
      await db.collection<Stored>(collectionName(enrollments)).deleteOne({ _id: leasEnrollment });
      const luisDocument = await db.collection<Stored>(collectionName(people)).findOne({ _id: luis.person });
      await db.collection<Stored>(collectionName(people)).insertOne({ ...luisDocument, _id: foreign });
      await mongo.close();

      const clickhouse = createClient({ url: used.stack.urls.clickhouse });
      const clickhouse_settings = { mutations_sync: '2' } as const;
      for (const query of [
        `ALTER TABLE member_attempts UPDATE passed = true WHERE attempt = '${luisAttempt.attempt}'`,
        `ALTER TABLE member_attempts DELETE WHERE attempt = '${privacyAttempt.attempt}'`,
        `ALTER TABLE member_facts UPDATE status = 'failed' WHERE enrollment = '${leasEnrollment}' AND status = 'completed'`,
      ]) {
        await clickhouse.command({ query, clickhouse_settings });
      }
      await clickhouse.close();
    });

    it('when the tenant is checked, then exactly the changes are named and the command line exits 1', async () => {
      const { code, stdout } = await used.stack.cli('audit', 'replay', '--tenant', tenant, '--check', '--json');
      expect(code).toBe(1);
      const answer = JSON.parse(stdout) as ReplayAnswer;
      expect(answer.digest).toBe(digest);
      expect(answer.check).toMatchObject({ ok: false, differing: 9 });
      expect(new Set(answer.check!.differences)).toEqual(
        new Set([
          { where: 'mongodb attempts', id: luisAttempt.attempt, kind: 'different', fields: ['grade'] },
          { where: 'mongodb enrollments', id: leasEnrollment, kind: 'missing' },
          { where: 'mongodb people', id: foreign, kind: 'unexpected' },
          passedInstead,
          gone,
          failedInstead,
          {
            where: 'clickhouse course-outcomes',
            id: 'safety',
            kind: 'different',
            fields: ['completed', 'failed', 'passed'],
          },
          { where: 'clickhouse course-outcomes', id: 'privacy', kind: 'missing' },
          {
            where: 'clickhouse team-compliance',
            id: mia.person,
            kind: 'different',
            fields: ['completed', 'failed', 'compliance'],
          },
        ]),
      );
    });

    it('when a person without changes is checked, then their records agree', async () => {
      const { check } = await replay({ person: mia.person, check: 'true' });
      expect(check).toMatchObject({ ok: true });
    });

    it('when a person with changes is checked, then theirs are named', async () => {
      const { check } = await replay({ person: lea.person, check: 'true' });
      expect(check!.differences).toEqual([
        { where: 'mongodb enrollments', id: leasEnrollment, kind: 'missing' },
        gone,
        failedInstead,
      ]);
    });

    it('when a person reads the result, then it says what differs', async () => {
      const { code, stdout } = await used.stack.cli('audit', 'replay', '--tenant', tenant, '--check');
      expect(code).toBe(1);
      expect(stdout).toMatch(/differ/);
      expect(stdout).toContain(foreign);
    });
  });
});
