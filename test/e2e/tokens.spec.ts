import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, type JWK, SignJWT } from 'jose';
import { LocalIssuer } from '../../packages/auth';
import type { Role } from '../../packages/commands';
import { ApiClient } from './api-client';
import { attempted, hired, newId, published } from './records';
import { temporaryFolder, useStack } from './running-stack';

const EVERYTHING = { sub: 'admin', tenant: 'acme', roles: ['admin'] };

describe('Tokens', () => {
  const used = useStack();
  const strangerFolder = temporaryFolder();
  afterAll(() => rmSync(strangerFolder, { recursive: true }));

  /** A token signed with the stack's own key, with claims that its issuer would not give. */
  async function signed(claims: object, { issuer = 'attest-local', audience = 'attest' } = {}): Promise<string> {
    const key = JSON.parse(readFileSync(join(used.stack.data, 'issuer.json'), 'utf8')) as JWK;
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'local' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('1h')
      .sign(await importJWK(key, 'EdDSA'));
  }

  function unsigned(): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { ...EVERYTHING, iss: 'attest-local', aud: 'attest', exp: 4_000_000_000 };
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  }

  async function ofStranger(): Promise<string> {
    const stranger = await LocalIssuer.open(join(strangerFolder, 'issuer.json'));
    return stranger.issue({ sub: 'admin', tenant: 'acme', roles: ['admin'] }, '1h');
  }

  it.each<[string, () => Promise<string | undefined> | string | undefined]>([
    ['no token', () => undefined],
    ['something that is no token', () => 'let-me-in'],
    ['an expired token', () => used.stack.token('admin', { expiresIn: '-1 minute' })],
    ['a token that another key signed', ofStranger],
    ['a token of another issuer', () => signed(EVERYTHING, { issuer: 'somebody-else' })],
    ['a token for another audience', () => signed(EVERYTHING, { audience: 'payroll' })],
    ['a token without signature', unsigned],
    ['a token without tenant', () => signed({ sub: 'admin', roles: ['admin'] })],
    ['a token with a tenant that cannot be', () => signed({ ...EVERYTHING, tenant: 'acme.person-1' })],
    ['a token without roles', () => signed({ ...EVERYTHING, roles: [] })],
    ['a token with a role that does not exist', () => signed({ ...EVERYTHING, roles: ['admin', 'emperor'] })],
    ['a token without subject', () => signed({ tenant: 'acme', roles: ['admin'] })],
  ])('given %s, then commands, queries, reports and audit answer 401', async (_, token) => {
    const somebody = new ApiClient(used.stack.urls.api, await token());
    const correlationId = newId('correlation');
    const header = { 'x-correlation-id': correlationId };
    const answers = await Promise.all([
      somebody.send('publish-course', published(), header),
      somebody.get('/v1/people', {}, header),
      somebody.get('/v1/reports/course-outcomes', {}, header),
      somebody.get('/v1/audit/replay', {}, header),
      somebody.get('/v1/status', {}, header),
    ]);
    for (const { status, headers, body } of answers) {
      expect(status).toBe(401);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ type: 'urn:attest:problem:unauthenticated', status: 401, correlationId });
    }
  });

  it.each<[Role, string, () => object]>([
    ['learner', 'record-attempt', () => attempted('0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11', 'quiz', 50)],
    ['manager', 'hire-person', () => hired()],
    ['analyst', 'publish-course', () => published()],
    ['compliance', 'publish-course', () => published()],
    ['service', 'publish-assignment-rule', () => ({ rule: 'all', audience: { everyone: true }, courses: ['one'] })],
  ])('given the role %s, when it sends %s, then 403', async (role, command, data) => {
    const { status, body } = await (await used.stack.as(role)).send(command, data());
    expect(status).toBe(403);
    expect(body.type).toBe('urn:attest:problem:forbidden');
  });

  it('given a token from the command line, then it opens the door for its tenant', async () => {
    const { code, stdout } = await used.stack.cli('token', '--tenant', 'globex', '--role', 'service');
    expect(code).toBe(0);
    const service = new ApiClient(used.stack.urls.api, stdout.trim());
    const course = published();
    expect((await service.command('publish-course', course)).stream).toBe(`globex.course-${course.course}`);
  });

  it('given no token, when the health is asked, then it answers', async () => {
    const nobody = new ApiClient(used.stack.urls.api);
    expect(await nobody.read('/health')).toEqual({ ok: true });
  });
});
