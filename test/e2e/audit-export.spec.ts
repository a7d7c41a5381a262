import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ExportResult } from '../../apps/audit/export';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { PrivacyStanding } from '../../apps/privacy/privacy.controller';
import { enrollmentIdOf } from '../../packages/enrollment';
import { canonicalJson } from '../../packages/eventsourcing';
import {
  type BundleManifest,
  BundleWriter,
  fingerprint,
  KeyRing,
  nextSeal,
  type PublicSealKey,
  SealedLeaves,
  SealKey,
  sha256,
  type StoredEvent,
  TAR_END,
  tarEntry,
} from '../../packages/evidence';
import { type BundleVerdict, verifyBundle } from '../../packages/evidence/verify-bundle.cjs';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useStack } from './running-stack';
import { seededMoments } from './seeded-moments';
import { until } from './until';

/** With the first every byte of a bundle is changed once; with the second so many others. */
const { ATTEST_TEST_FLIPS, ATTEST_TEST_FLIP_SEED = 'evidence' } = process.env;
/** How many bytes of which bundle are changed, one after the other. */
const FLIPS = process.env.ATTEST_TEST_FULL_SIZE ? { tenant: 250, clear: 750 } : { tenant: 100, clear: 150 };
const PROGRAM = join(__dirname, '..', '..', 'packages', 'evidence', 'verify-bundle.cjs');
const run = promisify(execFile);

type Entries = [name: string, content: Buffer][];

/** The entries of a bundle. */
function entriesOf(bundle: Buffer): Entries {
  const entries: Entries = [];
  for (let at = 0; bundle[at] !== 0;) {
    const [name] = bundle.toString('latin1', at, at + 100).split('\0') as [string];
    const size = parseInt(bundle.toString('latin1', at + 124, at + 135), 8);
    entries.push([name, bundle.subarray(at + 512, at + 512 + size)]);
    at += 512 * (1 + Math.ceil(size / 512));
  }
  return entries;
}

const bundleOf = (entries: Entries): Buffer =>
  Buffer.concat([...entries.map(([name, content]) => tarEntry(name, content)), TAR_END]);

type Line = Record<string, unknown>;
const linesOf = (content: Buffer): Line[] =>
  content
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const contentOf = (lines: readonly Line[]): Buffer =>
  Buffer.from(lines.map((line) => `${canonicalJson(line)}\n`).join(''));

/** A bundle in which the lines of some entries are others, as somebody makes it who knows the format: with a manifest that fits. */
function rewritten(bundle: Buffer, changes: Readonly<Record<string, (lines: Line[]) => Line[]>>): Buffer {
  const entries = entriesOf(bundle).map(([name, content]): [string, Buffer] => {
    const change = Object.entries(changes).find(([start]) => name.startsWith(start))?.[1];
    return [name, change ? contentOf(change(linesOf(content))) : content];
  });
  return withManifest(entries);
}

function withManifest(entries: Entries): Buffer {
  const at = entries.findIndex(([name]) => name === 'manifest.json');
  const listed = entries.slice(0, at).map(([name, content]) => {
    return { name, size: content.length, sha256: sha256(content).toString('hex') };
  });
  const events = entries
    .filter(([name]) => name.startsWith('events/'))
    .flatMap(([, content]) => linesOf(content)).length;
  const manifest = { ...linesOf(entries[at]![1])[0], entries: listed, events };
  return bundleOf(entries.with(at, ['manifest.json', contentOf([manifest])]));
}

describe('An evidence bundle', () => {
  const used = useStack();
  const folder = mkdtempSync(join(tmpdir(), 'attest-evidence-'));
  const tenant = newTenant();
  const name = { given: 'Zephyrine', family: 'Quackenbush' };
  const mia = hired({ employeeNumber: 'mia', occurredAt: '2026-01-01T00:00:00Z' });
  const lea = hired({ employeeNumber: 'lea', manager: mia.person, name, occurredAt: '2026-01-01T00:00:00Z' });
  const leasAttempt = attempted(lea.person, 'safety', 80);
  const scopes: Readonly<Record<string, readonly string[]>> = {
    tenant: [],
    person: ['--person', lea.person],
    team: ['--team', mia.person],
    course: ['--course', 'safety'],
    enrollment: ['--enrollment', enrollmentIdOf(lea.person, 'safety')],
    attempt: ['--attempt', leasAttempt.attempt],
    clear: ['--person', lea.person, '--personal'],
  };
  let compliance: ApiClient;
  let admin: ApiClient;
  let key: string;

  const fileOf = (scope: string): string => join(folder, `${scope}.tar`);
  async function exported(scope: string, ...args: readonly string[]): Promise<ExportResult> {
    const options = ['--tenant', tenant, '--out', fileOf(scope), '--json', ...args];
    const { code, stdout, stderr } = await used.stack.cli('audit', 'export', ...options);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as ExportResult;
  }
  const results: Record<string, ExportResult> = {};
  const linesIn = (scope: string, entry: string): Line[] =>
    entriesOf(readFileSync(fileOf(scope)))
      .filter(([each]) => each.startsWith(entry))
      .flatMap(([, content]) => linesOf(content));
  const manifestOf = (scope: string): BundleManifest => linesIn(scope, 'manifest.json')[0] as never;
  const textOf = (scope: string): string => readFileSync(fileOf(scope), 'utf8');

  /** The verdict on bytes. */
  function verdictOn(bundle: Buffer, trusted: readonly string[] = [key]): BundleVerdict {
    const file = join(folder, 'changed.tar');
    writeFileSync(file, bundle);
    return verifyBundle(file, trusted);
  }

  beforeAll(async () => {
    admin = await used.stack.as('admin', { tenant });
    compliance = await used.stack.as('compliance', { tenant });
    for (const person of [mia, lea]) await admin.command('hire-person', person);
    for (const { person } of [mia, lea]) await admin.command('enroll-learner', { person, course: 'safety' });
    await admin.command('record-attempt', leasAttempt);
    await admin.settled();
    const published = await fetch(new URL('/.well-known/attest-seal-keys.json', used.stack.urls.api));
    key = ((await published.json()) as { keys: PublicSealKey[] }).keys[0]!.kid;
    await Promise.all(
      Object.entries(scopes).map(async ([scope, args]) => (results[scope] = await exported(scope, ...args))),
    );
    results.auditLog = await exported('auditLog', '--audit-log');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([...Object.keys(scopes), 'auditLog'])('given %s, when it is exported, then it verifies', (scope) => {
    const verdict = verifyBundle(fileOf(scope), [key]);
    expect(verdict).toMatchObject({ ok: true, problem: null, keyNamed: true, complete: scope === 'tenant' });
    expect(verdict.events).toBe(results[scope]!.events);
  });

  it.each(['person', 'team', 'course', 'enrollment', 'attempt'])(
    'given a scope, then it holds what a replay of it reads: %s',
    async (scope) => {
      const [option, id] = scopes[scope]!;
      const parameters = { [option!.slice(2)]: id!, timeline: '1000' };
      const { timeline } = await compliance.read<ReplayAnswer>('/v1/audit/replay', parameters);
      // Without the notes of copies that were given out since.
      const ofLearning = (names: readonly string[]): string[] => names.filter((each) => !each.includes('.privacy-'));
      const exported = linesIn(scope, 'events/').map(({ stream, id }) => `${String(stream)} ${String(id)}`);
      expect(ofLearning(exported)).toEqual(ofLearning(timeline.map(({ stream, id }) => `${stream} ${id}`)));
    },
  );

  it('given the log, then it says who was given what, with the digest of the manifest', async () => {
    const { timeline } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { auditLog: 'true' });
    const recorded = timeline.filter(({ what }) => what === 'EvidenceExported').map(({ data }) => data);
    for (const { export: id, digest, events } of Object.values(results)) {
      expect(recorded).toContainEqual(expect.objectContaining({ export: id, digest, events }));
    }
    expect(
      timeline.filter(({ data }) => (data as { request?: string }).request === 'GET /v1/audit/export'),
    ).toHaveLength(8);
  });

  it('given the program alone, then an auditor checks the bundle with it, and it says when no key was named', async () => {
    const alone = join(folder, 'verify-bundle.cjs');
    writeFileSync(alone, readFileSync(PROGRAM));
    const { stdout } = await run(process.execPath, [alone, fileOf('person'), '--key', key], { cwd: folder });
    expect(stdout).toMatch(/^Everything holds: \d+ events/);
    const unnamed = run(process.execPath, [alone, fileOf('person')], { cwd: folder });
    await expect(unnamed).rejects.toMatchObject({
      code: 3,
      stdout: expect.stringContaining('NO KEY WAS NAMED') as string,
    });
    // One fingerprint of 64 begins like an option.
    for (const other of [SealKey.generate().kid, `-${SealKey.generate().kid.slice(1)}`]) {
      const checked = run(process.execPath, [alone, fileOf('person'), '--key', other], { cwd: folder });
      await expect(checked).rejects.toMatchObject({ code: 1 });
    }
    const nothing = run(process.execPath, [alone, fileOf('person'), '--key'], { cwd: folder });
    await expect(nothing).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('--key') as string });
    expect(readFileSync(PROGRAM, 'utf8').split('\n').length).toBeLessThanOrEqual(300);
  });

  it('given the command line, then it checks a bundle with the keys of the Attest that runs', async () => {
    const { code, stdout } = await used.stack.cli('audit', 'verify-bundle', fileOf('tenant'), '--json');
    expect({ code, verdict: JSON.parse(stdout) as BundleVerdict }).toMatchObject({
      code: 0,
      verdict: { ok: true, keyNamed: true, events: results.tenant!.events },
    });
    const missing = await used.stack.cli('audit', 'verify-bundle', join(folder, 'no.tar'));
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no file') as string });
  });

  it('given HTTP, then the bundle comes as a file, and for what is not there or not allowed a problem', async () => {
    const get = async (role: 'compliance' | 'admin', parameters: string): Promise<Response> => {
      const authorization = `Bearer ${await used.stack.token(role, { tenant })}`;
      return fetch(new URL(`/v1/audit/export?${parameters}`, used.stack.urls.api), { headers: { authorization } });
    };
    const response = await get('compliance', `person=${mia.person}`);
    expect(response.headers.get('content-type')).toBe('application/x-tar');
    expect(verdictOn(Buffer.from(await response.arrayBuffer()))).toMatchObject({ ok: true });
    expect((await get('admin', '')).status).toBe(403);
    const nothing = await get('compliance', 'course=none');
    expect({ status: nothing.status, problem: await nothing.json() }).toMatchObject({
      status: 404,
      problem: { type: 'urn:attest:problem:not-found' },
    });
    expect((await get('compliance', `course=safety&person=${mia.person}`)).status).toBe(400);
  });

  describe('that was changed by somebody who knows the format', () => {
    const eventAt = (scope: string, at: number): StoredEvent => linesIn(scope, 'events/')[at] as never;

    it.each(['tenant', 'clear'])('is found to lack an entry, or to have them in another order: %s', (scope) => {
      const entries = entriesOf(readFileSync(fileOf(scope)));
      entries.forEach(([entry], at) => {
        expect(verdictOn(bundleOf(entries.toSpliced(at, 1)))).toMatchObject({ ok: false });
        expect(verdictOn(bundleOf(entries.with(at, [`${entry}x`, entries[at]![1]])))).toMatchObject({ ok: false });
        const next = (at + 1) % entries.length;
        const swapped = entries.with(at, entries[next]!).with(next, entries[at]!);
        expect(verdictOn(bundleOf(swapped))).toMatchObject({ ok: false });
        expect(verdictOn(bundleOf([...entries, entries[at]!]))).toMatchObject({ ok: false });
      });
      const bytes = readFileSync(fileOf(scope));
      for (const length of [0, 100, 512, bytes.length >> 1, bytes.length - 1024, bytes.length - 1]) {
        expect(verdictOn(bytes.subarray(0, length))).toMatchObject({ ok: false });
      }
      expect(verdictOn(Buffer.concat([bytes, Buffer.alloc(512)]))).toMatchObject({ ok: false });
    });

    it.each<[string, string, Readonly<Record<string, (lines: Line[]) => Line[]>>]>([
      [
        'an event is gone',
        'tenant',
        { 'events/': (all) => all.toSpliced(2, 1), 'hashes/': (all) => all.toSpliced(2, 1) },
      ],
      [
        'an event is gone',
        'person',
        { 'events/': (all) => all.toSpliced(1, 1), 'hashes/': (all) => all.toSpliced(1, 1) },
      ],
      [
        'the last event is gone',
        'tenant',
        { 'events/': (all) => all.slice(0, -1), 'hashes/': (all) => all.slice(0, -1) },
      ],
      [
        'an event stands twice',
        'person',
        { 'events/': (all) => [all[0]!, ...all], 'hashes/': (all) => [all[0]!, ...all] },
      ],
      ['events are swapped', 'tenant', { 'events/': ([a, b, ...rest]) => [b!, a!, ...rest] }],
      [
        'events are swapped with their hashes',
        'person',
        { 'events/': ([a, b, ...rest]) => [b!, a!, ...rest], 'hashes/': ([a, b, ...rest]) => [b!, a!, ...rest] },
      ],
      [
        'a hash stands at another index',
        'person',
        { 'hashes/': ([a, ...rest]) => [{ ...a, index: (a!.index as number) + 0.5 }, ...rest] },
      ],
      [
        'a hash has a longer proof',
        'person',
        { 'hashes/': ([a, ...rest]) => [{ ...a, proof: [...(a!.proof as string[]), 'ab'.repeat(32)] }, ...rest] },
      ],
      [
        'the first seal is gone',
        'tenant',
        { 'seals.ndjson': (all) => all.slice(1), 'consistency.ndjson': (all) => all.slice(1) },
      ],
      [
        'the last seal is gone',
        'person',
        { 'seals.ndjson': (all) => all.slice(0, -1), 'consistency.ndjson': (all) => all.slice(0, -1) },
      ],
      ['a growth is not proved', 'tenant', { 'consistency.ndjson': (all) => all.slice(1) }],
      ['a key is another', 'person', { 'keys.json': () => [{ keys: [SealKey.generate().publicKey] as never }] }],
      ['it is of somebody else', 'person', { 'manifest.json': ([manifest]) => [{ ...manifest, scope: {} }] }],
      ['it claims to be complete', 'person', { 'manifest.json': ([manifest]) => [{ ...manifest, complete: true }] }],
      [
        'a name is another',
        'clear',
        { 'personal.ndjson': ([a, ...rest]) => [{ ...a, data: { name: null } }, ...rest] },
      ],
    ])('is found when %s: %s', (_what, scope, changes) => {
      expect(verdictOn(rewritten(readFileSync(fileOf(scope)), changes))).toMatchObject({ ok: false });
    });

    it('is found when the report says something else, or the proofs are those of another bundle', () => {
      const entries = entriesOf(readFileSync(fileOf('person')));
      const at = entries.findIndex(([entry]) => entry === 'report.html');
      const report = Buffer.from(entries[at]![1].toString().replace('safety', 'survey'));
      expect(report.equals(entries[at]![1])).toBe(false);
      expect(verdictOn(withManifest(entries.with(at, ['report.html', report])))).toMatchObject({
        problem: { where: 'manifest.json' },
      });
      const others = entriesOf(readFileSync(fileOf('team')));
      const behind = (all: Entries): number => all.findIndex(([entry]) => entry === 'manifest.json') + 1;
      const mixed = [...entries.slice(0, behind(entries)), ...others.slice(behind(others))];
      expect(verdictOn(bundleOf(mixed))).toMatchObject({ ok: false });
    });

    it.each([
      ['its data', (event: StoredEvent): StoredEvent => ({ ...event, data: { ...(event.data as object), more: 1 } })],
      [
        'who did it',
        (event: StoredEvent): StoredEvent => ({ ...event, metadata: { ...(event.metadata as object), actor: {} } }),
      ],
      [
        'when it was recorded',
        (event: StoredEvent): StoredEvent => ({ ...event, recordedAt: '2020-01-01T00:00:00.000Z' }),
      ],
    ])('names the event of which %s is another, though its hash was made anew', (_what, change) => {
      const changed = change(eventAt('person', 1));
      const leaf = fingerprint({ ...changed, position: BigInt(changed.position) }).witness.leaf.toString('hex');
      const bundle = rewritten(readFileSync(fileOf('person')), {
        'events/': (all) => all.with(1, changed as never),
        'hashes/': (all) => all.with(1, { ...all[1], leaf }),
      });
      const where = `the event at position ${changed.position}, ${changed.stream} revision ${changed.revision}`;
      expect(verdictOn(bundle)).toMatchObject({ problem: { where, detail: 'is not in the sealed tree' } });
    });

    it('is found by its key when all of it was made anew with another key, and by nothing else', () => {
      const forger = new KeyRing([SealKey.generate()]);
      const [stored] = linesIn('tenant', 'receipt.json');
      const restored = (line: Line): StoredEvent => ({ ...line, position: BigInt(line.position as string) }) as never;
      const events = linesIn('tenant', 'events/').map(restored);
      const writer = new BundleWriter();
      for (const event of events) writer.addEvent(event);
      const { format: _, entries: __, events: ___, ...about } = manifestOf('tenant');
      const { bytes, digest } = writer.content(about, '<p>forged</p>', []);
      const original = restored(stored!.event as Line);
      const receipt = { ...original, data: { ...(original.data as object), digest } };
      const sealed = new SealedLeaves();
      const leaves = [...events, receipt].map((each) => fingerprint(each).witness);
      sealed.add(nextSeal(tenant, undefined, leaves, forger, '2026-01-01T00:00:00.000Z'));
      const forged = Buffer.concat([bytes, ...writer.proofs(sealed, receipt, true)]);
      expect(verdictOn(forged, [])).toMatchObject({ ok: true, keyNamed: false });
      expect(verdictOn(forged)).toMatchObject({ ok: false, problem: { where: 'keys.json' } });
    });
  });

  it('given personal data, then it is encrypted, and in clear only where that was asked for and noted', async () => {
    for (const scope of ['tenant', 'person', 'team']) expect(textOf(scope)).not.toContain(name.given);
    expect(linesIn('clear', 'personal.ndjson')).toMatchObject([{ data: { name } }]);
    expect(JSON.stringify(linesIn('clear', 'events/'))).not.toContain(name.given);
    const { exports } = await compliance.read<PrivacyStanding>(`/v1/privacy/${lea.person}`);
    expect(exports).toEqual([{ export: results.clear!.export, by: 'compliance' }]);
  });

  it('given somebody who was erased, then old bundles verify, and new ones without the name', async () => {
    await compliance.command('request-erasure', { person: lea.person, reason: 'Asked for by the person.' });
    await admin.command('approve-erasure', { person: lea.person });
    const standing = (): Promise<PrivacyStanding> => compliance.read(`/v1/privacy/${lea.person}`);
    await until(async () => (await standing()).erasure?.status === 'completed');
    const where = (await standing()).erasure!.scrubbed.map((each) => each.where);
    expect(where).toContain(`export ${results.clear!.export}`);
    const { personal, events } = await exported('erased', '--person', lea.person, '--personal');
    expect({ personal, isLonger: events > results.clear!.events }).toEqual({ personal: true, isLonger: true });
    for (const scope of ['erased', 'clear', 'tenant']) expect(verifyBundle(fileOf(scope), [key]).ok).toBe(true);
    expect(textOf('erased')).not.toContain(name.given);
    expect(linesIn('erased', 'events/')).toContainEqual(expect.objectContaining({ type: 'PersonErased' }));
  });

  it.each(Object.entries(FLIPS))(
    'given any byte that was changed, then it is found: %s',
    async (scope, flips) => {
      const bundle = readFileSync(fileOf(scope));
      const file = join(folder, 'flipped.tar');
      writeFileSync(file, bundle);
      const handle = openSync(file, 'r+');
      const places = ATTEST_TEST_FLIPS
        ? [...bundle.keys()]
        : seededMoments(`${ATTEST_TEST_FLIP_SEED} ${scope}`, flips, bundle.length);
      const bits = seededMoments(`${ATTEST_TEST_FLIP_SEED} bits`, places.length, 8);
      const missed: { place: number; bit: number }[] = [];
      for (const [i, place] of places.entries()) {
        if (i % 50 === 0) await nextTurn(); // for connections that want to close meanwhile
        writeSync(handle, Buffer.of(bundle[place]! ^ (1 << bits[i]!)), 0, 1, place);
        if (verifyBundle(file, [key]).ok) missed.push({ place, bit: bits[i]! });
        writeSync(handle, bundle, place, 1, place);
      }
      expect(verifyBundle(file, [key]).ok).toBe(true);
      closeSync(handle);
      expect(missed).toEqual([]);
    },
    ATTEST_TEST_FLIPS ? 3_600_000 : undefined,
  );
});
