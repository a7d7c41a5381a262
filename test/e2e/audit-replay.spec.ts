import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import { enrollmentIdOf } from '../../packages/enrollment';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';

/** The history of one team: Mia leads Lea and Luis; Lin joins them late, and what happened to Lea is learned late. */
describe('A replay', () => {
  const used = useStack();
  const tenant = newTenant();
  const hiredOn = { occurredAt: '2026-01-01T00:00:00Z' };
  const mia = hired({ ...hiredOn, employeeNumber: 'mia' });
  const lea = hired({ ...hiredOn, employeeNumber: 'lea', manager: mia.person });
  const luis = hired({ ...hiredOn, employeeNumber: 'luis', manager: mia.person });
  const lin = hired({ occurredAt: '2026-03-01T00:00:00Z', employeeNumber: 'lin', manager: mia.person });
  const leasAttempt = attempted(lea.person, 'safety', 80);
  const leasEnrollment = enrollmentIdOf(lea.person, 'safety');
  const at = (day: string): { occurredAt: string } => ({ occurredAt: `2026-${day}T12:00:00Z` });
  let compliance: ApiClient;
  /** Before the late facts were recorded. */
  let before: { position: string; moment: string };

  beforeAll(async () => {
    const admin = await used.stack.as('admin', { tenant });
    compliance = await used.stack.as('compliance', { tenant, sub: 'carla' });
    for (const person of [mia, lea, luis]) await admin.command('hire-person', person);
    await admin.command('enroll-learner', { person: lea.person, course: 'safety', ...at('01-10') });
    await admin.command('enroll-learner', { person: luis.person, course: 'safety', ...at('01-10') });
    await admin.command('record-attempt', { ...leasAttempt, ...at('02-01') });
    before = { position: await admin.settled(), moment: new Date().toISOString() };
    await admin.command('complete-enrollment', { person: lea.person, course: 'safety', ...at('02-03') });
    await admin.command('hire-person', lin);
    await admin.settled();
  });

  const replay = (parameters: Record<string, string>): Promise<ReplayAnswer> =>
    compliance.read('/v1/audit/replay', parameters);

  it('given a person, then it tells who did what, when, why and through which door', async () => {
    const { timeline, timelineLeftOut, differences } = await replay({ person: lea.person });
    expect(timeline.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'PersonHired',
        'ReportingLineChanged',
        'LearnerEnrolled',
        'AttemptRecorded',
        'EnrollmentCompleted',
      ]),
    );
    const line = timeline.find(({ what }) => what === 'ReportingLineChanged')!;
    const hire = timeline.find(({ what }) => what === 'PersonHired')!;
    expect(hire).toMatchObject({
      who: 'admin',
      roles: ['admin'],
      via: 'http',
      occurredAt: '2026-01-01T00:00:00.000Z',
      why: 'command',
    });
    expect(line).toMatchObject({
      who: 'when-person-moved-then-place',
      via: 'workflow:when-person-moved-then-place',
      why: `hr; PersonHired at ${hire.position}`,
      causationId: hire.id,
    });
    expect(hire.recordedAt > hire.occurredAt).toBe(true);
    expect(timelineLeftOut).toBe(0);
    expect(differences).toBeUndefined();
  });

  it('given a limit, then the newest events are listed and the others counted', async () => {
    const { timeline, events, timelineLeftOut } = await replay({ person: lea.person, timeline: '2' });
    expect(timeline).toHaveLength(2);
    expect(timeline.at(-1)).toMatchObject({ what: 'EnrollmentCompleted' });
    expect(timelineLeftOut).toBe(events - 2);
  });

  it.each(['position', 'moment'] as const)(
    'given a %s, then it shows what was known then, and what is different now',
    async (point) => {
      const { state, events, differences, asOf } = await replay({ person: lea.person, knownAt: before[point] });
      expect(asOf.knownAt).toBe(before[point]);
      expect(BigInt(asOf.position)).toBeLessThanOrEqual(BigInt(before.position));
      expect(state).toMatchObject({ enrollments: [{ status: 'open', endedAt: null }] });
      expect(events).toBe(4);
      const enrollment = differences!.listed.find(({ document }) => document === 'enrollments')!;
      expect(enrollment).toMatchObject({ id: leasEnrollment });
      expect(enrollment.changes).toEqual(expect.arrayContaining([{ field: 'status', then: 'open', now: 'completed' }]));
      expect(new Set(differences!.listed.map(({ document }) => document))).toEqual(
        new Set(['enrollments', 'transcripts', 'team_progress', 'deadlines']),
      );
      expect(differences!.total).toBe(4);
    },
  );

  it('given a date and a position, then it shows how that date looked at that position', async () => {
    const known = await replay({ person: lea.person, asOf: '2026-02-28', knownAt: before.position });
    const now = await replay({ person: lea.person, asOf: '2026-02-28' });
    expect(known.state).toMatchObject({ enrollments: [{ status: 'open' }] });
    expect(now.state).toMatchObject({ enrollments: [{ status: 'completed' }] });
    expect(now.differences).toEqual({ total: 0, listed: [] });
  });

  it('given a team, then it is of those who reported to the manager as of the date, as known then', async () => {
    const ofJanuary = await replay({ team: mia.person, asOf: '2026-01-31' });
    expect(new Set(ofJanuary.members)).toEqual(new Set([lea.person, luis.person]));
    const now = await replay({ team: mia.person });
    expect(new Set(now.members)).toEqual(new Set([lea.person, luis.person, lin.person]));
    expect(now.documents).toMatchObject({ people: 3, enrollments: 2, attempts: 1 });
    const known = await replay({ team: mia.person, knownAt: before.position });
    expect(new Set(known.members)).toEqual(new Set([lea.person, luis.person]));
    expect(now.timeline.some(({ data }) => (data as { person?: string }).person === mia.person)).toBe(false);
  });

  it('given an enrollment or an attempt, then it is of its stream alone', async () => {
    const ofEnrollment = await replay({ enrollment: leasEnrollment });
    expect(ofEnrollment.timeline.map(({ what }) => what)).toEqual(['LearnerEnrolled', 'EnrollmentCompleted']);
    expect(ofEnrollment.state).toMatchObject({ enrollments: [{ _id: leasEnrollment, status: 'completed' }] });
    const { timeline, state } = await replay({ attempt: leasAttempt.attempt });
    expect(timeline.map(({ what }) => what)).toEqual(['AttemptRecorded']);
    expect(state).toMatchObject({ attempts: [{ _id: leasAttempt.attempt, status: 'graded' }] });
    const early = await replay({ enrollment: leasEnrollment, knownAt: before.position });
    expect(early.state).toMatchObject({ enrollments: [{ status: 'open' }] });
  });

  it.each(['tenant', 'course'])(
    'given a %s, then no document is answered, and events only when asked for',
    async (scope) => {
      const only: Record<string, string> = scope === 'course' ? { course: 'safety' } : {};
      const answer = await replay({ ...only, knownAt: before.position });
      expect(answer.state).toBeUndefined();
      expect(answer.timeline).toEqual([]);
      expect(answer.courseOutcomes).toMatchObject([{ course: 'safety', enrolled: 2, completed: 0 }]);
      expect(answer.differences!.listed).toEqual(
        expect.arrayContaining([expect.objectContaining({ document: 'enrollments', id: leasEnrollment })]),
      );
      expect((await replay({ ...only, timeline: '3' })).timeline).toHaveLength(3);
    },
  );

  it('given the audit log, then compliance sees who looked at what', async () => {
    await replay({ person: luis.person });
    const { timeline, events } = await replay({ auditLog: 'true' });
    expect(timeline.length).toBe(events);
    expect(timeline.at(-2)).toMatchObject({
      what: 'AuditConsulted',
      who: 'carla',
      via: 'http',
      data: { request: 'GET /v1/audit/replay', parameters: { person: luis.person } },
    });
    expect((await replay({})).timeline).toEqual([]);
  });

  it('given the command line, then people read tables', async () => {
    const run = (...args: string[]) => used.stack.cli('audit', 'replay', '--tenant', tenant, ...args);
    const ofPerson = await run('--person', lea.person, '--known-at', before.position);
    expect(ofPerson.stdout).toMatch(/^4 events up to position \d+, as of .*, as known at \d+$/m);
    expect(ofPerson.stdout).toMatch(
      /^2026-01-10 .* LearnerEnrolled +enrollment-\S+ +admin +http +manual; command +\d+$/m,
    );
    expect(ofPerson.stdout).toMatch(/^enrollments +\S+ +status +open +completed$/m);
    const auditLog = await run('--audit-log');
    expect(auditLog.stdout).toMatch(/AuditConsulted +GET \/v1\/audit\/replay \{"person":/);
    const wrong = await run('--person', lea.person, '--team', mia.person);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^attest: team: cannot be combined with person/);
  });

  it.each([
    ['knownAt', { knownAt: 'yesterday' }],
    ['knownAt', { knownAt: '2026-02-30' }],
    ['team', { team: 'mia' }],
    ['timeline', { timeline: '-1' }],
    ['check', { check: 'true', knownAt: '1' }],
    ['check', { check: 'true', team: mia.person }],
    ['attempt', { enrollment: leasEnrollment, attempt: leasAttempt.attempt }],
  ])('given a %s that makes no sense, then 400 names it', async (field, parameters: Record<string, string>) => {
    const { status, body } = await compliance.get<{ fields: { field: string }[] }>('/v1/audit/replay', parameters);
    expect(status).toBe(400);
    expect(body.fields.map(({ field }) => field)).toContain(field);
  });
});
