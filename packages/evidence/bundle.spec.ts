import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { canonicalJson, CHAIN_START, chainHash } from '../eventsourcing';
import {
  type BundleAbout,
  BundleWriter,
  fingerprint,
  KeyRing,
  leafInput,
  LogAlteredError,
  nextSeal,
  SealedLeaves,
  SealKey,
  type StoredEvent,
} from '.';
import { canonical, describe as told, verifyBundle } from './verify-bundle.cjs';

/** The key of RFC 8037, appendix A. */
const KEY = SealKey.parse(
  '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
  'the key of RFC 8037',
);
const RING = new KeyRing([KEY]);

interface Fact {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly position: bigint;
  readonly behind?: StoredEvent;
}

/** An event as the command pipeline writes it. */
function eventOf({ stream, id, type, data, position, behind }: Fact): StoredEvent {
  const metadata = { actor: { roles: ['admin'], sub: 'ann', via: 'http' }, commandId: `command-${id}`, tenant: 'acme' };
  const link = (behind?.metadata as { hash: string } | undefined)?.hash ?? CHAIN_START;
  const hash = chainHash(link, { id, type, data, metadata: metadata as never });
  const revision = behind ? behind.revision + 1 : 0;
  return { id, stream, revision, position, type, data, metadata: { ...metadata, hash }, recordedAt: AT };
}

const AT = '2026-03-01T08:00:00.000Z';
const drafted = eventOf({
  stream: 'acme.course-fire',
  id: '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed',
  type: 'CourseDrafted',
  data: { course: 'fire', title: 'Fire Safety' },
  position: 64n,
});
const retired = eventOf({
  stream: 'acme.course-fire',
  id: '7d444840-9dc0-41d1-b245-5ffdce74fad2',
  type: 'CourseRetired',
  data: { course: 'fire' },
  position: 512n,
  behind: drafted,
});
const ABOUT: BundleAbout = {
  export: '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c12',
  exportedAt: AT,
  exportedBy: 'carla',
  tenant: 'acme',
  scope: { course: 'fire' },
  complete: false,
  personal: false,
  upTo: '1024',
};

function receiptOf(digest: string): StoredEvent {
  const { export: id, scope, personal, upTo } = ABOUT;
  const data = { day: '2026-03-01', digest, events: 2, export: id, personal, scope, upTo };
  const stream = 'acme.auditlog-2026-03-01';
  return eventOf({
    stream,
    id: '9c5b94b1-35ad-49bb-b118-8e8fc24abf80',
    type: 'EvidenceExported',
    data,
    position: 2048n,
  });
}

/** The bundle that docs/evidence-bundle.md shows, byte for byte. */
function example(events: readonly StoredEvent[] = [drafted, retired]): Buffer {
  const writer = new BundleWriter();
  for (const event of events) writer.addEvent(event);
  const { bytes, digest } = writer.content(ABOUT, '<p>Fire Safety was retired.</p>\n', []);
  const receipt = receiptOf(digest);
  const sealed = new SealedLeaves();
  const first = nextSeal(
    'acme',
    undefined,
    [drafted, retired].map((event) => fingerprint(event).witness),
    RING,
    '2026-03-01T08:00:10.000Z',
  );
  sealed.add(first);
  sealed.add(nextSeal('acme', first, [fingerprint(receipt).witness], RING, '2026-03-01T08:00:20.000Z'));
  return Buffer.concat([bytes, ...writer.proofs(sealed, receipt, ABOUT.complete)]);
}

function entriesOf(bundle: Buffer): [string, string][] {
  const entries: [string, string][] = [];
  for (let at = 0; bundle[at] !== 0;) {
    const size = parseInt(bundle.toString('latin1', at + 124, at + 135), 8);
    entries.push([
      bundle.toString('latin1', at, at + 100).split('\0')[0]!,
      bundle.toString('utf8', at + 512, at + 512 + size),
    ]);
    at += 512 * (1 + Math.ceil(size / 512));
  }
  return entries;
}

describe('The example of docs/evidence-bundle.md', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'evidence-bundle.md'), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'attest-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is a bundle that holds', () => {
    const file = join(folder, 'example.tar');
    writeFileSync(file, example());
    const verdict = verifyBundle(file, [KEY.kid]);
    expect(verdict).toMatchObject({
      ok: true,
      events: 2,
      seals: 2,
      keys: ['kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'],
    });
    expect(told(verdict)).toMatch(/^Everything holds: 2 events of acme/);
  });

  it.each(entriesOf(example()))('shows what stands in %s', (name, content) => {
    expect(page).toContain(`\`${name}\``);
    expect(page).toContain(content.trimEnd());
  });

  it('shows each step from an event to its leaf and its link', () => {
    const { hash, ...metadata } = drafted.metadata as { hash: string };
    const { leaf } = fingerprint(drafted).witness;
    const digest = (value: unknown): string => shaOf(canonicalJson(value));
    const input = leafInput(drafted, digest(drafted.data), digest(metadata), hash);
    const { id, type, data } = drafted;
    const linked = canonicalJson({ data, id, metadata, type });
    expect(shaOf(CHAIN_START + linked)).toBe(hash);
    for (const text of [canonicalJson(metadata), input, leaf.toString('hex'), linked]) expect(page).toContain(text);
  });
});

describe('A bundle', () => {
  it('is not written when an event is not what was sealed, was not sealed, or is not of Attest', () => {
    const altered = { ...retired, data: { course: 'water' } };
    expect(() => example([drafted, altered])).toThrow(
      new LogAlteredError('The event at position 512 is not what was sealed.'),
    );
    expect(() => example([drafted, { ...retired, position: 513n }])).toThrow(/^Nothing was sealed at position 513/);
    expect(() => example([{ ...drafted, metadata: {} }])).toThrow(
      /^What stands at position 64, .* was not written by Attest/,
    );
  });

  it('is verified with the same canonical JSON that it is written with', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => canonical(value) === canonicalJson(value)));
    expect(canonical({ '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\ud83d\ude00': 5 })).toBe(
      canonicalJson({ '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\ud83d\ude00': 5 }),
    );
  });
});

function shaOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
