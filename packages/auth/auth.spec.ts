import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Caller,
  ForbiddenError,
  LocalIssuer,
  requireOwn,
  requireRole,
  TokenVerifier,
  UnauthenticatedError,
} from '.';

const folder = mkdtempSync(join(tmpdir(), 'attest-auth-'));
const keyFile = join(folder, 'sub', 'issuer.json');
afterAll(() => rmSync(folder, { recursive: true }));

const caller: Caller = { sub: 'p-1', tenant: 'acme', roles: ['manager'] };
const verifier = async () => new TokenVerifier((await LocalIssuer.open(keyFile)).settings);
const issue = async (claims: Caller, expiresIn = '5m') =>
  `Bearer ${await (await LocalIssuer.open(keyFile)).issue(claims, expiresIn)}`;

describe('a token of the local issuer', () => {
  it('says who is asking', async () => {
    const token = await issue(caller);
    const verifying = await verifier();
    expect(await verifying.verify(token)).toEqual(caller);
    expect(await verifying.verify(token)).toEqual(caller);
  });

  it('is signed with a key that only the owner reads', async () => {
    await issue(caller);
    expect(statSync(keyFile).mode & 0o077).toBe(0);
  });

  it('publishes no private key', async () => {
    const { jwks } = (await LocalIssuer.open(keyFile)).settings;
    expect(JSON.stringify(jwks)).not.toContain('"d"');
  });

  it.each([
    ['no token', undefined],
    ['another scheme', 'Basic dXNlcg=='],
    ['no JWT', 'Bearer nonsense'],
  ])('with %s nobody is known', async (_, header) => {
    await expect((await verifier()).verify(header)).rejects.toBeInstanceOf(UnauthenticatedError);
  });

  it('that has expired, was signed by another key, or names no proper tenant or role is refused', async () => {
    const other = await LocalIssuer.open(join(folder, 'other.json'));
    const bad = [
      await issue(caller, '-1s'),
      `Bearer ${await other.issue(caller, '5m')}`,
      await issue({ ...caller, tenant: 'ACME.x' }),
      await issue({ ...caller, roles: ['root' as never] }),
      await issue({ ...caller, roles: [] }),
    ];
    for (const token of bad)
      await expect((await verifier()).verify(token)).rejects.toBeInstanceOf(UnauthenticatedError);
  });
});

it('a role that is not allowed is forbidden', () => {
  expect(() => requireRole(caller, ['admin', 'compliance'])).toThrow(ForbiddenError);
  expect(() => requireRole(caller, ['admin', 'manager'])).not.toThrow();
});

it('what is not about the caller is forbidden, but for whoever acts for others', () => {
  const isOwn = (sub: string) => sub === 'p-1';
  expect(() => requireOwn(caller, isOwn)).not.toThrow();
  expect(() => requireOwn({ ...caller, sub: 'p-2' }, isOwn)).toThrow(ForbiddenError);
  expect(() => requireOwn({ ...caller, sub: 'quiz-engine', roles: ['service'] }, isOwn)).not.toThrow();
});
