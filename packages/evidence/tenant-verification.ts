import { canonicalJson, CHAIN_START, parseStreamName } from '../eventsourcing';
import { type Finding, type FindingKind, Findings, LISTED } from './finding';
import { sha256 } from './merkle';
import { compareRange, contentOf, type Deviation, type Found } from './range-comparison';
import {
  frontierOf,
  isSignedBy,
  keyInForce,
  LOG_SEALED,
  type LastSeal,
  parseSeal,
  type Seal,
  sealedUpTo,
  sealHash,
  sealStream,
  type StoredSeal,
  unpackWitness,
} from './seal';
import type { PublicSealKey } from './seal-key';
import { fingerprint, sealedTenant, type StoredEvent, streamMark, type Witness } from './stored-event';

export interface VerificationOptions {
  /** Whose signatures count. */
  readonly trusted: readonly PublicSealKey[];
  /** A seal that was kept outside the log: the log must still have it. */
  readonly kept?: Seal | undefined;
  /** Only this stream; the caller then hands over its events and the tenant's seals. */
  readonly stream?: string | undefined;
}

/** What came out for one tenant. */
export interface TenantVerdict {
  readonly tenant: string;
  readonly ok: boolean;
  readonly events: number;
  readonly streams: number;
  readonly seals: number;
  /** The newest seal that holds; null when there is none. */
  readonly sealed: { readonly size: number; readonly upTo: string; readonly at: string; readonly root: string } | null;
  /** Events that no seal covers yet: only the hash chains of their streams speak for them, and nothing for the last of each. */
  readonly unsealed: number;
  /** Keys in the order in which they signed, and whether one of them is trusted. */
  readonly keys: readonly string[];
  readonly trusted: boolean;
  /** In the order of the log, the first of them; `findings` counts all. */
  readonly first: Finding | null;
  readonly findings: number;
  readonly listed: readonly Finding[];
}

interface StreamEnd {
  readonly revision: number;
  readonly link: string;
}

/**
 * Checks the history of one tenant, event by event as the log gives them: the hash chain of each stream, the seals, and the events
 * against the seals. Holds what lies between two seals, and the end of each stream.
 */
export class TenantVerification {
  private readonly findings = new Findings();
  private readonly streams = new Map<string, StreamEnd>();
  private readonly mark: string | undefined;
  private pending: Found[] = [];
  private position = 0n;
  private events = 0;
  private seals = 0;
  private last: LastSeal;
  /** The seal before could not be believed, so that what it says is not held against this one. */
  private lost = false;
  private keys: PublicSealKey[] = [];
  /** The first seal that holds and for whose keys nobody known here has vouched so far. */
  private unvouched: StoredEvent | undefined;
  /** Highest number at which a seal stood, whether it could be believed or not. */
  private lastNumber = -1;
  private keptSeen = false;
  /** Marks of streams of which something was found: what their chains say from there on is only a consequence. */
  private readonly tainted = new Set<string>();
  /** Contents of events that are gone from their place, with where that was. */
  private readonly gone = new Map<string, bigint>();

  constructor(
    readonly tenant: string,
    private readonly options: VerificationOptions,
  ) {
    this.mark = options.stream === undefined ? undefined : streamMark(options.stream);
  }

  accept(event: StoredEvent): void {
    if (parseStreamName(event.stream)?.category === 'seals') this.acceptSeal(event);
    else if (sealedTenant(event.stream) !== undefined) this.acceptEvent(event);
    if (event.position > this.position) this.position = event.position;
  }

  /** The reader could not go on behind what it has seen: an event there can no longer be decoded. */
  unreadable(after: bigint, detail: string): void {
    this.report('unreadable', after + 1n, null, detail);
  }

  finish(): TenantVerdict {
    for (const found of this.pending) this.reportUnsealed(found);
    const trusted = this.keys.some((key) => this.isTrusted(key));
    this.reportUnvouched();
    this.checkKept();
    const listed = this.findings.sorted();
    return {
      tenant: this.tenant,
      ok: this.findings.total === 0,
      events: this.events,
      streams: this.streams.size,
      seals: this.seals,
      sealed: this.last
        ? {
            size: this.last.body.size,
            upTo: this.last.body.upTo,
            at: this.last.body.sealedAt,
            root: this.last.body.root,
          }
        : null,
      unsealed: this.pending.length,
      keys: this.keys.map(({ kid }) => kid),
      trusted,
      first: listed[0] ?? null,
      findings: this.findings.total,
      listed,
    };
  }

  private acceptEvent(event: StoredEvent): void {
    this.events++;
    const { stream, revision, position } = event;
    const { witness: print, link, linkBehind } = fingerprint(event);
    const broken = this.followChain(event, link, linkBehind);
    // Without what the event says, since it may be long until its seal comes.
    const found = { event: { stream, revision }, print, broken, late: position <= this.position };
    if (position > sealedUpTo(this.last)) this.pending.push(found);
    else this.reportStray(found, 'it comes behind the seal of its place in the log');
  }

  /** What the hash chain of its stream says against an event. */
  private followChain(
    { stream, revision }: StoredEvent,
    link: string | undefined,
    linkBehind: (previous: string) => string,
  ): Found['broken'] {
    if (link === undefined)
      return { kind: 'inserted', detail: 'Attest did not write it: it has no link of a hash chain' };
    const end = this.streams.get(stream) ?? { revision: -1, link: CHAIN_START };
    this.streams.set(stream, { revision, link });
    if (revision > end.revision + 1) {
      return { kind: 'removed', detail: `revisions ${end.revision + 1} to ${revision - 1} before it are gone` };
    }
    if (revision <= end.revision)
      return { kind: 'inserted', detail: `the stream has had a revision ${revision} already` };
    if (linkBehind(end.link) === link) return undefined;
    return { kind: 'altered-event', detail: 'it, or the event before it in its stream, is not what was chained' };
  }

  private acceptSeal(event: StoredEvent): void {
    this.seals++;
    this.lastNumber = Math.max(this.lastNumber, event.revision);
    const refuse = (kind: FindingKind, detail: string): void => {
      this.report(kind, event.position, event, detail);
      this.lost = true;
    };
    const isPlain =
      event.type === LOG_SEALED && canonicalJson(event.metadata) === canonicalJson({ tenant: this.tenant });
    if (!isPlain || event.stream !== sealStream(this.tenant)) {
      return refuse('seal-forged', 'its stream, type or metadata is not that of a seal');
    }
    let seal: StoredSeal;
    let leaves: Witness[];
    try {
      seal = parseSeal(event.data);
      leaves = unpackWitness(seal.witness);
    } catch (error) {
      return refuse('seal-forged', (error as Error).message);
    }
    const { body } = seal;
    const previous = this.last;
    const signer = this.signerOf(seal);
    if (!isSignedBy(seal, signer)) return refuse('seal-forged', 'its signature does not hold');
    if (body.tenant !== this.tenant) return refuse('seal-forged', `it is a seal of ${body.tenant}`);
    if (body.number !== event.revision)
      return refuse('reordered', `seal ${body.number} stands at revision ${event.revision}`);
    const expected = previous ? previous.body.number + 1 : 0;
    if (body.number < expected) return refuse('reordered', `seal ${body.number} comes behind seal ${expected - 1}`);
    const gap = body.number > expected;
    if (gap && !this.lost) {
      this.report('seal-removed', event.position, event, `seals ${expected} to ${body.number - 1} before it are gone`);
    }
    const followed = !gap && !this.lost;
    if (followed && body.previous !== (previous ? sealHash(previous) : CHAIN_START)) {
      return refuse('seal-forged', `it does not follow seal ${expected - 1}`);
    }
    if (BigInt(body.upTo) >= event.position) return refuse('reordered', 'it stands before events that it covers');
    if (sha256(seal.witness).toString('hex') !== body.witness) return refuse('seal-forged', 'its witness was altered');
    if (!addsUp(seal, leaves, followed ? previous : null))
      return refuse('seal-forged', 'its root is not that of its leaves');
    this.trackKeys(event, seal, signer);
    this.cover(seal, leaves);
  }

  /** Takes a seal that holds, and holds against it what it covers. */
  private cover(seal: StoredSeal, leaves: readonly Witness[]): void {
    const { body, signatures } = seal;
    const upTo = BigInt(body.upTo);
    const range = this.pending.filter(({ print }) => print.position <= upTo && print.position > BigInt(body.after));
    const skipped = this.pending.filter(({ print }) => print.position <= BigInt(body.after));
    this.pending = this.pending.filter(({ print }) => print.position > upTo);
    for (const found of skipped) this.reportUnsealed(found);
    const sealed = this.mark ? leaves.filter(({ stream }) => stream === this.mark) : leaves;
    const deviations = compareRange(sealed, range);
    for (const deviation of deviations) if (!deviation.before) this.reportDeviation(deviation);
    for (const { kind, position, detail, found, before } of deviations) {
      if (before && !this.isTainted(found!)) this.reportFound(kind, position, found!, detail);
    }
    this.last = { body, signatures };
    this.lost = false;
    const { kept } = this.options;
    if (kept?.body.number !== body.number) return;
    this.keptSeen = true;
    if (sealHash(kept) !== sealHash(seal)) {
      this.report('seal-forged', upTo, null, `seal ${body.number} is not the one that was kept outside the log`);
    }
  }

  /** A key is taken over from the one before it or, behind a gap, because it is trusted; then nothing vouches for those before the gap. */
  private trackKeys(event: StoredEvent, seal: StoredSeal, signer: PublicSealKey | undefined): void {
    const { introduces } = seal.body;
    const isFirst = this.keys.length === 0;
    if (signer && this.keys.at(-1)?.kid !== signer.kid) {
      this.reportUnvouched();
      this.keys.push(signer);
    }
    if (introduces && keyInForce(seal) !== this.keys.at(-1)?.kid) this.keys.push(introduces);
    if (isFirst) this.unvouched = event;
    if ([signer, introduces].some((key) => key && this.isTrusted(key))) this.unvouched = undefined;
  }

  private reportUnvouched(): void {
    if (!this.unvouched) return;
    const detail = 'the seals from this one on are signed with a key that is not known here';
    this.report('seal-forged', this.unvouched.position, this.unvouched, detail);
    this.unvouched = undefined;
  }

  private isTrusted({ kid }: PublicSealKey): boolean {
    return this.options.trusted.some((key) => key.kid === kid);
  }

  private checkKept(): void {
    const { kept } = this.options;
    if (!kept || this.keptSeen) return;
    const { number, upTo, size } = kept.body;
    const end = this.last?.body.upTo ?? '0';
    const detail = `seal ${number}, kept outside the log, covers ${size} events up to position ${upTo}; the log's own seals end at ${end}`;
    const position = this.position < BigInt(upTo) ? this.position + 1n : BigInt(upTo);
    if (number > this.lastNumber) this.report('tail-truncated', position, null, detail);
  }

  /** The key that has to have signed a seal. Behind a gap in the seals it may have been introduced in the gap, if it is trusted. */
  private signerOf({ body, signatures }: Seal): PublicSealKey | undefined {
    const inForce = this.keys.at(-1);
    const gap = body.number > (this.last ? this.last.body.number + 1 : 0);
    if (!gap) return inForce;
    return this.options.trusted.find(({ kid }) => kid === signatures[0]!.key) ?? inForce;
  }

  private reportDeviation({ kind, position, detail, found, sealed }: Deviation): void {
    if (found && kind === 'inserted') return this.reportStray(found, found.broken?.detail ?? detail);
    if (found) return this.reportFound(kind, position, found, detail);
    this.tainted.add(sealed!.stream);
    this.gone.set(contentOf(sealed!), position);
    this.report(kind, position, this.whatStood(sealed!), detail);
  }

  /** An event where none was sealed: it was moved here if it is gone from elsewhere. */
  private reportStray(found: Found, detail: string): void {
    const from = this.gone.get(contentOf(found.print));
    if (from === undefined) return this.reportFound('inserted', found.print.position, found, detail);
    this.reportFound('reordered', found.print.position, found, `it was sealed at position ${from}`);
  }

  /** What can be said of an event that no seal covers. */
  private reportUnsealed(found: Found): void {
    const { print, broken, late } = found;
    if (late) this.reportFound('reordered', print.position, found, 'it comes behind events with higher positions');
    else if (broken && !this.isTainted(found)) this.reportFound(broken.kind, print.position, found, broken.detail);
  }

  private reportFound(kind: FindingKind, position: bigint, { event, print }: Found, detail: string): void {
    this.tainted.add(print.stream);
    this.report(kind, position, event, detail);
  }

  private isTainted({ print }: Found): boolean {
    return this.tainted.has(print.stream);
  }

  /** The stream of an event that is gone, when other events of it are still there. */
  private whatStood({ stream: mark }: Witness): { stream: string; revision: null } | null {
    if (this.findings.total >= LISTED) return null;
    for (const stream of this.streams.keys()) if (streamMark(stream) === mark) return { stream, revision: null };
    return null;
  }

  private report(
    kind: FindingKind,
    position: bigint,
    where: { readonly stream: string; readonly revision: number | null } | null,
    detail: string,
  ): void {
    const { stream = null, revision = null } = where ?? {};
    this.findings.add({ kind, tenant: this.tenant, position: position.toString(), stream, revision, detail });
  }
}

/** Whether a seal's leaves lead from the tree before to its own. @param previous null when the tree before is not known */
function addsUp(seal: Seal, leaves: readonly Witness[], previous: LastSeal | null): boolean {
  const { body } = seal;
  try {
    const tree = frontierOf(seal);
    if (tree.root().toString('hex') !== body.root || body.size !== body.from + leaves.length) return false;
    if (previous === null) return true;
    const before = frontierOf(previous);
    if (before.size !== body.from || BigInt(body.after) !== sealedUpTo(previous)) return false;
    for (const { leaf } of leaves) before.append(leaf);
    return before.root().equals(tree.root());
  } catch (error) {
    if (error instanceof RangeError) return false; // A frontier that does not fit the size that the seal claims.
    throw error;
  }
}
