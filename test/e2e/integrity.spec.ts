import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { TimelineEntry } from '../../apps/audit/event-timeline';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { VerificationResult } from '../../apps/audit/verify';
import type { SealExplanation } from '../../apps/audit/why-seal';
import type { AnswerLine } from '../../apps/shared/long-answers';
import type { PublicSealKey, TenantVerdict } from '../../packages/evidence';
import { newId, newTenant, published } from './records';
import { useOwnStack } from './running-stack';
import { until } from './until';

describe('Integrity', () => {
  const used = useOwnStack({ environment: { ATTEST_SEAL_SECONDS: '1' } });
  const tenant = newTenant();
  const course = newId('course');

  /** The lines of one verification. */
  async function verify(
    parameters: Record<string, string> = {},
    by = tenant,
  ): Promise<AnswerLine<VerificationResult>[]> {
    const url = new URL('/v1/audit/verify', used.stack.urls.api);
    url.search = new URLSearchParams(parameters).toString();
    const authorization = `Bearer ${await used.stack.token('compliance', { tenant: by })}`;
    const text = await (await fetch(url, { headers: { authorization } })).text();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AnswerLine<VerificationResult>);
  }

  async function result(parameters: Record<string, string> = {}): Promise<VerificationResult> {
    const last = (await verify(parameters)).at(-1)!;
    if (!('result' in last)) throw new Error(JSON.stringify(last));
    return last.result;
  }

  async function cli(...args: string[]): Promise<{ code: number | null; result: VerificationResult }> {
    const { code, stdout } = await used.stack.cli('audit', 'verify', '--json', ...args);
    return { code, result: JSON.parse(stdout) as VerificationResult };
  }

  beforeAll(async () => {
    const admin = await used.stack.as('admin', { tenant });
    await admin.command('publish-course', published({ course }));
    await admin.command('retire-course', { course });
    await until(async () => Number((await result()).tenants[0]!.sealed?.size) >= 2);
  });

  it('given a history, then it is sealed by itself, and everything holds', async () => {
    const { ok, keysKnown, tenants } = await result();
    expect({ ok, keysKnown, tenants }).toMatchObject({
      ok: true,
      keysKnown: true,
      tenants: [{ tenant, trusted: true, findings: 0, first: null }],
    });
  });

  it('given all of it, then its events, seals and keys of people are told apart', async () => {
    const admin = await used.stack.as('admin', { tenant });
    const name = { given: 'Ada', family: 'Lovelace' };
    const keysOf = ({ read, events, tenants }: VerificationResult): number => read - events - tenants[0]!.seals;
    expect(keysOf(await result())).toBe(0);
    const job = { jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005' };
    await admin.command('hire-person', { person: randomUUID(), employeeNumber: '1', ...job, name });
    const after = await result();
    expect(keysOf(after)).toBe(1);
    expect(after.events).toBe(after.tenants[0]!.events);
  });

  it('given a stream, then it alone is checked', async () => {
    expect(await result({ stream: `${tenant}.course-${course}` })).toMatchObject({
      ok: true,
      tenants: [{ tenant, events: 2, streams: 1, unsealed: 0 }],
    });
  });

  it('given the command line, then it checks a tenant, a stream or everything', async () => {
    expect(await cli('--tenant', tenant)).toMatchObject({ code: 0, result: { ok: true, tenants: [{ tenant }] } });
    expect(await cli('--tenant', tenant, '--stream', `${tenant}.course-${course}`)).toMatchObject({
      code: 0,
      result: { tenants: [{ events: 2 }] },
    });
    const { code, result: everything } = await cli('--everything');
    expect({ code, ok: everything.ok }).toEqual({ code: 0, ok: true });
    expect(everything.tenants.map((each) => each.tenant)).toContain(tenant);
  });

  it('given everything was verified past the doors, then each tenant can read who did it', async () => {
    const lookedAt = async (): Promise<TimelineEntry[]> => {
      const compliance = await used.stack.as('compliance', { tenant });
      const parameters = { auditLog: 'true', timeline: '1000' };
      const { timeline } = await compliance.read<ReplayAnswer>('/v1/audit/replay', parameters);
      return timeline.filter(({ data }) => (data as { request?: string }).request === 'attest audit verify');
    };
    const before = await lookedAt();
    await cli('--everything');
    const after = await lookedAt();
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-1)).toMatchObject({
      what: 'AuditConsulted',
      who: expect.stringMatching(/^.+@.+$/) as string,
      via: 'cli',
      data: { parameters: { everything: 'true' } },
    });
  });

  it('given somebody else, then they may not verify, nor what is not theirs', async () => {
    const learner = await used.stack.as('learner', { tenant });
    expect((await learner.get('/v1/audit/verify')).status).toBe(403);
    const compliance = await used.stack.as('compliance', { tenant });
    expect(await compliance.get('/v1/audit/verify', { stream: 'other.course-a' })).toMatchObject({
      status: 400,
      body: { fields: [{ field: 'stream' }] },
    });
  });

  it('given nobody in particular, then the keys are published, and the private ones are only for their owner', async () => {
    const response = await fetch(new URL('/.well-known/attest-seal-keys.json', used.stack.urls.api));
    const { keys } = (await response.json()) as { keys: PublicSealKey[] };
    const { tenants } = await result();
    expect(keys.map(({ kid }) => kid)).toEqual(tenants[0]!.keys);
    expect(keys[0]).toEqual({
      ...{ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' },
      x: expect.any(String) as string,
      kid: expect.any(String) as string,
    });
    expect(statSync(join(used.stack.data, 'seal-keys.json')).mode & 0o777).toBe(0o600);
  });

  it('given a new key, then the next seal hands over to it', async () => {
    const [before] = (await result()).tenants[0]!.keys;
    const { code, stdout } = await used.stack.cli('audit', 'rotate-key', '--json');
    const { current } = JSON.parse(stdout) as { current: PublicSealKey };
    expect(code).toBe(0);
    await until(async () => (await result()).tenants[0]!.keys.includes(current.kid));
    expect(await result()).toMatchObject({ ok: true, tenants: [{ keys: [before, current.kid] }] });
  });

  it('given a seal, then why it is to be believed: what it covers, what it follows, who signed it', async () => {
    const compliance = await used.stack.as('compliance', { tenant });
    const why = (id: string): Promise<SealExplanation> => compliance.read(`/v1/audit/why/${id}`);
    const [{ keys: kids, seals }] = (await result()).tenants as [TenantVerdict];
    const first = await why('seal-0');
    const { covers } = first;
    expect(first).toMatchObject({
      seal: { number: 0, from: 0, after: '0', size: covers.events },
      previous: null,
      signaturesHold: true,
      signedBy: [{ key: kids[0], isPublished: true }],
      keys: [{ key: kids[0], introducedBy: 0, isPublished: true }],
    });
    expect(covers).toMatchObject({ deviating: 0, types: { CoursePublished: 1 } });
    expect(covers.listed).toHaveLength(covers.events);
    expect(covers.listed[0]).toMatchObject({ stream: `${tenant}.course-${course}`, asSealed: true });

    const last = await why(`seal-${seals - 1}`);
    expect(last).toMatchObject({ previous: { number: seals - 2, isNamed: true }, signaturesHold: true });
    expect(last.keys.map(({ key }) => key)).toEqual(kids);
    for (const id of [first.seal.hash, first.seal.root, first.subject.event]) {
      expect(await why(id)).toEqual({ ...first, subject: { ...first.subject, id } });
    }
    const { stdout } = await used.stack.cli('audit', 'why', 'seal-1', '--tenant', tenant);
    expect(stdout).toContain(`follows seal 0, ${first.seal.hash}`);
    expect(await compliance.get(`/v1/audit/why/seal-${seals + 1000}`)).toMatchObject({ status: 404 });
  });
});
