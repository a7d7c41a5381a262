import type { EventStoreDb } from '../../infra/eventstore';
import {
  fingerprint,
  isSignedBy,
  keyInForce,
  LogAlteredError,
  parseSeal,
  type PublicSealKey,
  type Seal,
  sealedTenant,
  sealHash,
  sealStream,
  type StoredEvent,
  type StoredSeal,
  unpackWitness,
} from '../../packages/evidence';

/** An event under a seal, as it stands in the log now. */
export interface CoveredEvent {
  readonly position: string;
  readonly stream: string;
  readonly type: string;
  readonly id: string;
  readonly recordedAt: string;
  /** Whether it is to the byte what was sealed. */
  readonly asSealed: boolean;
}

/** Why a seal is to be believed: what it covers, what it follows, and who signed it. */
export interface SealExplanation {
  readonly subject: { readonly id: string; readonly stream: string; readonly event: string };
  readonly seal: {
    readonly number: number;
    readonly hash: string;
    /** ISO 8601, by the sealer's clock. */
    readonly sealedAt: string;
    /** Positions of the log: after the one, up to the other. */
    readonly after: string;
    readonly upTo: string;
    /** Leaves of the tenant's tree before it and with it, and the root of that, hex. */
    readonly from: number;
    readonly size: number;
    readonly root: string;
  };
  /** The seal before, whose hash this one names; null for the first. */
  readonly previous: {
    readonly number: number;
    readonly hash: string;
    readonly size: number;
    readonly root: string;
    /** Whether it is the one that this one names. */
    readonly isNamed: boolean;
  } | null;
  /** Who signed it, and whether the signatures hold; the second key is one that takes over. */
  readonly signedBy: readonly { readonly key: string; readonly isPublished: boolean }[];
  readonly signaturesHold: boolean;
  /** How the key came into force: each key so far, with the number of the seal that introduced it. */
  readonly keys: readonly { readonly key: string; readonly introducedBy: number; readonly isPublished: boolean }[];
  readonly covers: {
    /** Events that were sealed. */
    readonly events: number;
    /** Those that are no more what was sealed, or not there, and those that were put between. */
    readonly deviating: number;
    readonly types: Readonly<Record<string, number>>;
    /** The first of them that are there. */
    readonly listed: readonly CoveredEvent[];
  };
}

const LISTED = 1_000;

/** What goes before a seal, as far as its stream was read. */
interface Before {
  readonly seal: Seal | undefined;
  readonly keys: readonly { readonly key: PublicSealKey; readonly introducedBy: number }[];
}

/**
 * The chain of a seal, from the log alone.
 * @param id `seal-<number>`, the hash of the seal, the root of its tree, or the id of the event that holds it
 * @param published keys that count here
 * @returns undefined when the tenant has no such seal
 */
export async function explainSeal(
  store: EventStoreDb,
  tenant: string,
  id: string,
  published: readonly PublicSealKey[],
): Promise<SealExplanation | undefined> {
  let before: Before = { seal: undefined, keys: [] };
  for await (const event of store.readStored(sealStream(tenant))) {
    const seal = readSeal(event);
    const { number, root, introduces } = seal.body;
    if ([event.id, `seal-${number}`, sealHash(seal), root].includes(id)) {
      return explained(store, tenant, id, event, seal, before, published);
    }
    const keys = introduces ? [...before.keys, { key: introduces, introducedBy: number }] : before.keys;
    before = { seal: { body: seal.body, signatures: seal.signatures }, keys };
  }
  return undefined;
}

/** @throws LogAlteredError for what is no seal */
function readSeal({ stream, revision, data }: StoredEvent): StoredSeal {
  try {
    const seal = parseSeal(data);
    unpackWitness(seal.witness);
    return seal;
  } catch (error) {
    throw new LogAlteredError(`${stream} has no seal at revision ${revision}: ${(error as Error).message}.`);
  }
}

async function explained(
  store: EventStoreDb,
  tenant: string,
  id: string,
  event: StoredEvent,
  seal: StoredSeal,
  before: Before,
  published: readonly PublicSealKey[],
): Promise<SealExplanation> {
  const { number, sealedAt, after, upTo, from, size, root, introduces, previous } = seal.body;
  const isPublished = (kid: string): boolean => published.some((key) => key.kid === kid);
  const inForce = before.seal && keyInForce(before.seal);
  const signer = before.keys.find(({ key }) => key.kid === inForce)?.key;
  const keys = introduces ? [...before.keys, { key: introduces, introducedBy: number }] : before.keys;
  return {
    subject: { id, stream: event.stream, event: event.id },
    seal: { number, hash: sealHash(seal), sealedAt, after, upTo, from, size, root },
    previous: before.seal
      ? {
          number: before.seal.body.number,
          hash: sealHash(before.seal),
          size: before.seal.body.size,
          root: before.seal.body.root,
          isNamed: sealHash(before.seal) === previous,
        }
      : null,
    signedBy: seal.signatures.map(({ key }) => ({ key, isPublished: isPublished(key) })),
    signaturesHold: isSignedBy(seal, signer),
    keys: keys.map(({ key, introducedBy }) => ({ key: key.kid, introducedBy, isPublished: isPublished(key.kid) })),
    covers: await covered(store, tenant, seal),
  };
}

/** Reads the range of the seal, and holds each event against the leaf that was sealed of it. */
async function covered(store: EventStoreDb, tenant: string, seal: StoredSeal): Promise<SealExplanation['covers']> {
  const leaves = new Map(unpackWitness(seal.witness).map(({ position, leaf }) => [position, leaf]));
  const { after, upTo } = seal.body;
  const types: Record<string, number> = {};
  const listed: CoveredEvent[] = [];
  let same = 0;
  let strange = 0;
  for await (const event of eventsBetween(store, tenant, BigInt(after), BigInt(upTo))) {
    const leaf = leaves.get(event.position);
    const asSealed = leaf?.equals(fingerprint(event).witness.leaf) ?? false;
    if (asSealed) same++;
    if (!leaf) strange++;
    types[event.type] = (types[event.type] ?? 0) + 1;
    const { position, stream, type, id, recordedAt } = event;
    if (listed.length < LISTED) listed.push({ position: position.toString(), stream, type, id, recordedAt, asSealed });
  }
  return { events: leaves.size, deviating: leaves.size - same + strange, types, listed };
}

/** The tenant's events that are sealed, after one position and up to another. */
async function* eventsBetween(
  store: EventStoreDb,
  tenant: string,
  after: bigint,
  upTo: bigint,
): AsyncGenerator<StoredEvent> {
  const options = { after: after || undefined, streamPrefix: `${tenant}.` };
  for await (const { events, position, caughtUp } of store.subscribeToStored(options)) {
    yield* events.filter((event) => event.position <= upTo && sealedTenant(event.stream) === tenant);
    if (caughtUp || position >= upTo) return;
  }
}
