import type { Due } from '../../apps/privacy/due';
import type { PrivacyStanding } from '../../apps/privacy/privacy.controller';
import type { DueOutcome } from '../../apps/privacy/retention';
import { personIdOf } from '../../packages/people';
import type { ApiClient } from './api-client';
import { useStack } from './running-stack';

const used = useStack();

const tenant = 'retaining';
const GONE = personIdOf(tenant, '1');
const HELD = personIdOf(tenant, '2');
const STAYING = personIdOf(tenant, '3');
const GONE_TOO = personIdOf(tenant, '4');
const reason = 'Records policy 4.2.';

let compliance: ApiClient;
let admin: ApiClient;

const due = (asOf?: string): Promise<Due> => compliance.read<Due>('/v1/privacy/due', { ...(asOf && { asOf }) });

async function asked(client: ApiClient, step: 'request' | 'approve', ...people: string[]): Promise<DueOutcome> {
  const { status, body } = await client.post<DueOutcome>(`/v1/privacy/due/${step}`, { people });
  expect(status).toBe(200);
  return body;
}

/** What a command line answers. */
async function privacy(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await used.stack.cli('privacy', ...args, '--tenant', tenant);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

beforeAll(async () => {
  compliance = await used.stack.as('compliance', { tenant });
  admin = await used.stack.as('admin', { tenant });
  for (const [number, person] of [GONE, HELD, STAYING, GONE_TOO].entries()) {
    const name = { given: 'Ada', family: `Retained${number}` };
    const job = { jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005', occurredAt: '2009-01-01' };
    await admin.command('hire-person', { person, employeeNumber: String(number + 1), name, ...job });
    await admin.command('enroll-learner', { person, course: 'safety', occurredAt: '2010-01-01' });
  }
  for (const person of [GONE, HELD, GONE_TOO])
    await admin.command('terminate-person', { person, occurredAt: '2012-03-31' });
  await compliance.command('set-legal-hold', { person: HELD, matter: 'case-9', reason: 'Litigation.' });
  await admin.settled();
});

it('only compliance rules what is kept, and what cannot be is refused by its field', async () => {
  const rule = { category: 'person', keepFor: 'P3Y', from: 'departure', reason };
  expect(await admin.send('set-retention-rule', rule)).toMatchObject({ status: 403 });
  const bad = await compliance.send('set-retention-rule', { ...rule, keepFor: '3 years', category: 'everything' });
  expect(bad.body.fields!.map(({ field }) => field).sort()).toEqual(['category', 'keepFor']);
  const learner = await used.stack.as('learner', { tenant });
  expect(await learner.get('/v1/privacy/due')).toMatchObject({ status: 403 });
  expect(await compliance.get('/v1/privacy/due', { asOf: 'soon' })).toMatchObject({ status: 400 });
});

it('who is due is listed, and nothing happens to anybody by it', async () => {
  expect(await due()).toMatchObject({ items: [], kept: { 'has not left': 1, 'no rule for person': 3 } });
  const rules = [
    { category: 'person', keepFor: 'P3Y', from: 'departure', reason },
    { category: 'enrollment', keepFor: 'P8Y', from: 'last-event', reason },
  ];
  for (const rule of rules) await compliance.command('set-retention-rule', rule);
  await privacy('retain', 'notification', '--for', 'P1M', '--from', 'departure', '--reason', reason);
  expect((await due('2017-12-31')).items).toEqual([]);
  const answer = await due();
  expect(answer.rules.map(({ category }) => category)).toEqual(['person', 'enrollment', 'notification']);
  expect(answer.kept).toEqual({ 'has not left': 1 });
  expect(answer.items.map(({ person }) => person).sort()).toEqual([GONE, HELD, GONE_TOO].sort());
  expect(answer.items.find(({ person }) => person === HELD)!.holds).toEqual({ 'case-9': 'Litigation.' });
  expect(answer.items[0]!.grounds[0]).toMatchObject({ category: 'enrollment', version: 1, keepFor: 'P8Y' });
  const listed = await privacy('due');
  expect(listed).toMatch(new RegExp(`${GONE} .*person P3Y from departure on 2012-03-31`));
  expect(listed).toMatch(new RegExp(`${HELD} .*legal hold case-9`));
  expect(await admin.read(`/v1/people/${GONE}`)).toMatchObject({ name: { family: 'Retained0' } });
});

it('who is due is erased when one has asked for it and another has approved it, and the receipt names the rules', async () => {
  // Given that nobody has asked
  expect(await asked(admin, 'approve', GONE)).toMatchObject({
    people: [],
    leftOut: [{ person: GONE, code: 'no-erasure-requested' }],
  });

  // When somebody asks for three, of whom one is under hold and one is not due
  expect(await asked(compliance, 'request', GONE, HELD, STAYING)).toMatchObject({
    people: [GONE],
    leftOut: [
      { person: HELD, code: 'legal-hold' },
      { person: STAYING, code: 'not-due' },
    ],
  });

  // Then it is not approved by the same, nor past the rules, nor when they say something else
  expect(await asked(compliance, 'approve', GONE)).toMatchObject({ leftOut: [{ code: 'own-request' }] });
  expect(await admin.send('approve-erasure', { person: GONE })).toMatchObject({ body: { code: 'other-grounds' } });
  await compliance.command('withdraw-retention-rule', { category: 'person', reason: 'Under review.' });
  expect((await due()).lapsed).toEqual([GONE]);
  expect(await asked(admin, 'approve', GONE)).toMatchObject({ leftOut: [{ code: 'not-due' }] });
  await compliance.command('set-retention-rule', { category: 'person', keepFor: 'P3Y', from: 'departure', reason });
  expect(await asked(admin, 'approve', GONE)).toMatchObject({ leftOut: [{ code: 'other-grounds' }] });
  expect(await admin.read(`/v1/people/${GONE}`)).toMatchObject({ name: { family: 'Retained0' } });

  // But when it is asked for anew, and another approves it
  await admin.command('reject-erasure', { person: GONE, reason: 'The rule has changed.' });
  expect((await asked(compliance, 'request', GONE, GONE_TOO)).people).toEqual([GONE, GONE_TOO]);
  const approved = await privacy('approve-due', '--all', '--json');
  const { people, leftOut } = JSON.parse(approved) as DueOutcome;
  expect({ people: [...people].sort(), leftOut }).toEqual({ people: [GONE, GONE_TOO].sort(), leftOut: [] });

  // Then the name is gone, the events stay, and the receipt says which rules it was
  const { erasure } = await compliance.read<PrivacyStanding>(`/v1/privacy/${GONE}`);
  expect(erasure).toMatchObject({ number: 2, status: 'completed', requestedBy: 'compliance', approvedBy: 'admin' });
  expect(erasure!.reason).toContain('person P3Y from departure on 2012-03-31 until 2015-03-31 (rule version 2)');
  const copy = await compliance.read<{ events: { type: string; data: object }[] }>(`/v1/privacy/${GONE}/export`);
  const receipt = copy.events.find(({ type }) => type === 'ErasureCompleted')!;
  expect(receipt.data).toMatchObject({ retention: erasure!.retention });
  expect(copy.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['PersonErased', 'LearnerEnrolled']));
  for (const gone of people) expect(await admin.read(`/v1/people/${gone}`)).toMatchObject({ name: null });
  expect(await admin.read(`/v1/people/${HELD}`)).toMatchObject({ name: { family: 'Retained1' } });
  expect((await due()).items.map(({ person }) => person)).toEqual([HELD]);
});

it('the log still verifies', async () => {
  const response = await fetch(new URL('/v1/audit/verify', compliance.url), {
    headers: { authorization: `Bearer ${compliance.token}` },
  });
  const last = (await response.text()).trimEnd().split('\n').at(-1)!;
  expect(JSON.parse(last)).toMatchObject({ result: { ok: true } });
});
