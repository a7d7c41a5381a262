import { CHAIN_START, chainHash } from '../eventsourcing';
import {
  fingerprint,
  KeyRing,
  LOG_SEALED,
  nextSeal,
  type Seal,
  SealKey,
  SealKeyError,
  sealStream,
  type StoredEvent,
  TenantVerification,
  type TenantVerdict,
  type VerificationOptions,
} from '.';

const key = SealKey.generate();
const ring = new KeyRing([key]);
const AT = '2026-03-01T00:00:00.000Z';

/** A log as the pipeline and the sealer write it: three streams in turn, a seal after so many events. */
class Log {
  readonly events: StoredEvent[] = [];
  seals: Seal[] = [];
  private readonly ends = new Map<string, { revision: number; hash: string }>();
  private unsealed: StoredEvent[] = [];

  constructor(private keys = ring) {}

  write(count: number): this {
    for (let i = 0; i < count; i++) {
      const n = this.events.length;
      const stream = `acme.course-${n % 3}`;
      const end = this.ends.get(stream) ?? { revision: -1, hash: CHAIN_START };
      const content = { id: `id-${n}`, type: 'CourseDrafted', data: { n }, metadata: { commandId: `c-${n}` } as never };
      const hash = chainHash(end.hash, content);
      const revision = end.revision + 1;
      this.ends.set(stream, { revision, hash });
      const metadata = { ...(content.metadata as object), hash };
      this.append({ ...content, metadata, stream, revision });
      this.unsealed.push(this.events.at(-1)!);
    }
    return this;
  }

  seal(keys = this.keys): this {
    this.keys = keys;
    const { body, signatures, witness } = nextSeal(
      'acme',
      this.seals.at(-1),
      this.unsealed.map((each) => fingerprint(each).witness),
      keys,
      AT,
    );
    const revision = this.seals.push({ body, signatures }) - 1;
    const stream = sealStream('acme');
    this.append({
      id: `seal-${revision}`,
      type: LOG_SEALED,
      data: { body, signatures, witness },
      metadata: { tenant: 'acme' },
      stream,
      revision,
    });
    this.unsealed = [];
    return this;
  }

  verify(options: Partial<VerificationOptions> = {}, events = this.events): TenantVerdict {
    const verification = new TenantVerification('acme', { trusted: ring.trusted, ...options });
    for (const event of events) verification.accept(event);
    return verification.finish();
  }

  private append(event: Omit<StoredEvent, 'position' | 'recordedAt'>): void {
    this.events.push({ ...event, position: BigInt(100 + this.events.length * 10), recordedAt: AT });
  }
}

/** The log with one event replaced. */
function replaced(log: Log, index: number, change: (event: StoredEvent) => StoredEvent): StoredEvent[] {
  return log.events.map((event, i) => (i === index ? change(event) : event));
}

const sealed = (): Log => new Log().write(9).seal().write(6).seal().write(3);

describe('given a history with two seals and a tail', () => {
  const log = sealed();
  const verdictOn = (events: StoredEvent[], options?: Partial<VerificationOptions>) => log.verify(options, events);

  it('when nothing was touched, then all holds, and what is not sealed is said', () => {
    expect(log.verify()).toMatchObject({
      ...{ ok: true, events: 18, streams: 3, seals: 2, unsealed: 3, trusted: true, findings: 0, first: null },
      sealed: { size: 15, upTo: log.events[15]!.position.toString(), at: AT },
    });
  });

  it.each<[string, number, (event: StoredEvent) => StoredEvent, string]>([
    ['data', 4, (event) => ({ ...event, data: { n: 99 } }), 'altered-data'],
    ['data, to what is no JSON', 4, (event) => ({ ...event, data: '{"n":' }), 'altered-data'],
    [
      'metadata',
      4,
      (event) => ({ ...event, metadata: { ...(event.metadata as object), actor: 'x' } }),
      'altered-metadata',
    ],
    ['metadata, to what is no JSON', 4, (event) => ({ ...event, metadata: Buffer.from('{') }), 'altered-metadata'],
    ['type', 4, (event) => ({ ...event, type: 'CourseRetired' }), 'altered-event'],
    ['time', 4, (event) => ({ ...event, recordedAt: '2020-01-01T00:00:00.000Z' }), 'altered-event'],
    ['revision', 4, (event) => ({ ...event, revision: 7 }), 'altered-event'],
    ['stream', 4, (event) => ({ ...event, stream: 'acme.course-9' }), 'altered-event'],
    [
      'link',
      4,
      (event) => ({ ...event, metadata: { ...(event.metadata as object), hash: CHAIN_START } }),
      'altered-event',
    ],
    ['data behind the last seal', 17, (event) => ({ ...event, data: { n: 99 } }), 'altered-event'],
  ])('when the %s was altered, then the event is named', (_what, index, change, kind) => {
    const { ok, first } = verdictOn(replaced(log, index, change));
    expect(ok).toBe(false);
    expect(first).toMatchObject({ kind, position: log.events[index]!.position.toString() });
  });

  it('when somebody altered data and wrote the chain anew from there, then the seal tells, and only the event is named first', () => {
    let hash = '';
    const events = log.events.map((event, i) => {
      if (event.stream !== log.events[4]!.stream || i < 4) return event;
      const data = i === 4 ? { n: 99 } : event.data;
      const previous = i === 4 ? (log.events[1]!.metadata as { hash: string }).hash : hash;
      const { hash: _, ...metadata } = event.metadata as { hash: string };
      hash = chainHash(previous, { ...event, data: data as object, metadata: metadata as never });
      return { ...event, data, metadata: { ...metadata, hash } };
    });
    expect(verdictOn(events).first).toMatchObject({
      kind: 'altered-data',
      position: log.events[4]!.position.toString(),
    });
  });

  it('when an event is removed, then its place and its stream are named', () => {
    const { first, findings } = verdictOn(log.events.filter((_, i) => i !== 4));
    const { position, stream } = log.events[4]!;
    expect(first).toMatchObject({ kind: 'removed', position: position.toString(), stream });
    expect(findings).toBe(1);
  });

  it('when an event behind the last seal is removed, then the gap is named', () => {
    const longer = sealed().write(3);
    const { first } = longer.verify(
      {},
      longer.events.filter((_, i) => i !== 17),
    );
    expect(first).toMatchObject({ kind: 'removed', position: longer.events[20]!.position.toString() });
  });

  it('when an event is inserted, then it is named', () => {
    const copy = { ...log.events[4]!, position: 145n, id: 'other', revision: 2 };
    expect(verdictOn(log.events.toSpliced(5, 0, copy)).first).toMatchObject({ kind: 'inserted', position: '145' });
  });

  it('when two events change places, then the first place is named', () => {
    const [a, b] = [log.events[4]!, log.events[7]!];
    const swapped = replaced(log, 4, () => ({ ...b, position: a.position })).map((event, i) =>
      i === 7 ? { ...a, position: b.position } : event,
    );
    expect(verdictOn(swapped).first).toMatchObject({ kind: 'reordered', position: a.position.toString() });
  });

  it('when the log gives two events in the wrong order, then the first place is named', () => {
    const [a, b] = [log.events[4]!, log.events[7]!];
    const swapped = replaced(log, 4, () => b).map((event, i) => (i === 7 ? a : event));
    expect(verdictOn(swapped).first).toMatchObject({ kind: 'reordered', position: a.position.toString() });
  });

  it('when an event is moved behind a seal, then both places are named as one move', () => {
    const moved = { ...log.events[4]!, position: 225n };
    const events = log.events.filter((_, i) => i !== 4).toSpliced(12, 0, moved);
    expect(verdictOn(events).listed).toMatchObject([
      { kind: 'removed', position: log.events[4]!.position.toString() },
      { kind: 'reordered', position: '225' },
    ]);
  });

  it.each<[string, (seal: { body: object; signatures: object[]; witness: string }) => object]>([
    ['signature', (seal) => ({ ...seal, signatures: [{ ...seal.signatures[0], signature: 'AAAA' }] })],
    ['body', (seal) => ({ ...seal, body: { ...seal.body, sealedAt: '2020-01-01T00:00:00.000Z' } })],
    ['key', (seal) => ({ ...seal, body: { ...seal.body, introduces: { ...key.publicKey, x: 'AAAA' } } })],
    ['witness', (seal) => ({ ...seal, witness: `B${seal.witness.slice(1)}` })],
    ['format', (seal) => ({ ...seal, body: { ...seal.body, format: 'other' } })],
    ['whole', () => ({})],
  ])('when the %s of a seal was altered, then the seal is named', (_what, change) => {
    const { first, listed } = verdictOn(replaced(log, 9, (event) => ({ ...event, data: change(event.data as never) })));
    expect(first).toMatchObject({ kind: 'seal-forged', position: log.events[9]!.position.toString() });
    expect(listed).toHaveLength(1);
  });

  it('when somebody seals everything anew with a key of their own, then the first seal is named', () => {
    const forged = new Log(new KeyRing([SealKey.generate()])).write(9).seal().write(6).seal();
    expect(forged.verify().first).toMatchObject({
      kind: 'seal-forged',
      position: forged.events[9]!.position.toString(),
    });
  });

  it('when somebody seals with a key of their own from the second seal on, then that seal is named', () => {
    const other = new Log(new KeyRing([SealKey.generate()])).write(9).seal().write(6).seal();
    const { first } = verdictOn(replaced(log, 16, () => other.events[16]!));
    expect(first).toMatchObject({ kind: 'seal-forged', position: log.events[16]!.position.toString() });
  });

  it.each([9, 16])('when seal at %d alone is signed anew with another key, then that seal is named first', (at) => {
    const forger = new KeyRing([SealKey.generate()]);
    const other = new Log(forger).write(9).seal().write(6).seal();
    const forged = replaced(log, at, () => other.events[at]!);
    const { first } = log.verify({ kept: log.seals[1] }, forged);
    expect(first).toMatchObject({ kind: 'seal-forged', position: log.events[at]!.position.toString() });
  });

  it.each<[string, Partial<StoredEvent>]>([
    ['type', { type: 'LogOpened' }],
    ['metadata', { metadata: { tenant: 'acme', more: 1 } }],
    ['stream', { stream: 'acme.seals-other' }],
  ])('when the %s of a seal was altered, then the seal is named', (_what, change) => {
    const { first } = verdictOn(replaced(log, 9, (event) => ({ ...event, ...change })));
    expect(first).toMatchObject({ kind: 'seal-forged', position: log.events[9]!.position.toString() });
  });

  it('when a seal is removed, then the next one tells', () => {
    const { first } = verdictOn(log.events.filter((_, i) => i !== 9));
    expect(first).toMatchObject({ kind: 'seal-removed', position: log.events[16]!.position.toString() });
  });

  it('when the end of the log is cut off, then a seal that was kept elsewhere tells', () => {
    const cut = log.events.slice(0, 12);
    expect(verdictOn(cut)).toMatchObject({ ok: true }); // nothing within the log can know
    expect(verdictOn(cut, { kept: log.seals[1] })).toMatchObject({
      ok: false,
      first: { kind: 'tail-truncated', position: (cut.at(-1)!.position + 1n).toString() },
    });
    expect(verdictOn([], { kept: log.seals[1] }).first).toMatchObject({ kind: 'tail-truncated', position: '1' });
    expect(log.verify({ kept: log.seals[0] }).ok).toBe(true);
  });

  it('when the log was rewritten and sealed anew with the right key, then a seal that was kept elsewhere tells', () => {
    const rewritten = new Log().write(6).seal().write(9).seal();
    expect(rewritten.verify().ok).toBe(true);
    expect(rewritten.verify({ kept: log.seals[1] }).first).toMatchObject({ kind: 'seal-forged' });
  });

  it('when only one stream is asked for, then only what happened to it counts', () => {
    const stream = 'acme.course-1';
    const of = (events: StoredEvent[]) => events.filter((event) => [stream, sealStream('acme')].includes(event.stream));
    expect(verdictOn(of(log.events), { stream })).toMatchObject({ ok: true, streams: 1, unsealed: 1 });
    expect(verdictOn(of(log.events.filter((_, i) => i !== 4)), { stream }).first).toMatchObject({
      kind: 'removed',
      stream,
    });
  });
});

describe('given a key that takes over from another', () => {
  const next = SealKey.generate();
  const both = new KeyRing([next, key]);
  const log = new Log()
    .write(3)
    .seal()
    .write(3)
    .seal(both)
    .write(3)
    .seal(new KeyRing([next]));

  it.each([
    ['the new key', [next]],
    ['the old key', [key]],
  ])('when only %s is known, then the whole history holds', (_which, known) => {
    const verdict = log.verify({ trusted: new KeyRing(known).trusted });
    expect(verdict).toMatchObject({ ok: true, seals: 3, keys: [key.kid, next.kid] });
  });

  it('when the change was not signed by the old key, then it is found', () => {
    const { body, signatures, witness } = log.events[7]!.data as Seal & { witness: string };
    const alone = { body, signatures: signatures.slice(1), witness };
    const { first } = log.verify(
      {},
      replaced(log, 7, (event) => ({ ...event, data: alone })),
    );
    expect(first).toMatchObject({ kind: 'seal-forged', position: log.events[7]!.position.toString() });
  });

  it('when the old key is not there to sign the change, then nothing is sealed', () => {
    const old = new Log().write(3).seal();
    expect(() => old.write(1).seal(new KeyRing([next]))).toThrow(SealKeyError);
  });
});
