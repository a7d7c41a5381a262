import { canonicalJson, CHAIN_START, streamName } from '../eventsourcing';
import type { KeyRing } from './key-ring';
import { Frontier, HASH_BYTES, sha256 } from './merkle';
import { type PublicSealKey, SealKeyError, verifySignature } from './seal-key';
import { MARK_BYTES, type Witness } from './stored-event';

/** This file is a wire format, see README.md. */
export const SEAL_FORMAT = 'attest-seal/1';
/** Wire name of the event that holds a seal. */
export const LOG_SEALED = 'LogSealed';

/** The stream of a tenant's seals; seal number n stands at revision n. */
export function sealStream(tenant: string): string {
  return streamName(tenant, 'seals', 'log');
}

/** What is signed: the tenant's tree with the leaves of one more range of the log. */
export interface SealBody {
  readonly format: typeof SEAL_FORMAT;
  readonly tenant: string;
  /** Counted from 0. */
  readonly number: number;
  /** Hash of the seal before; 64 zeros for the first. */
  readonly previous: string;
  /** ISO 8601, by the sealer's clock. */
  readonly sealedAt: string;
  /** Leaves of the tree before this seal, and with it. */
  readonly from: number;
  readonly size: number;
  /** The range of the log: positions after the one and up to the other, of the tenant's events. */
  readonly after: string;
  readonly upTo: string;
  /** RFC 9162 root of the tree with `size` leaves, hex; the frontier is its right edge, largest subtree first. */
  readonly root: string;
  readonly frontier: readonly string[];
  /** SHA-256, hex, of the witness that is stored beside. */
  readonly witness: string;
  /** A key that takes over with the next seal; in the first seal the one that has signed it. */
  readonly introduces?: PublicSealKey;
}

/** A seal with its signatures, over the canonical JSON of the body: by the key in force, then by the key that it introduces. */
export interface Seal {
  readonly body: SealBody;
  readonly signatures: readonly { readonly key: string; readonly signature: string }[];
}

/** A seal as it is stored; the witness is what its leaves were made of, 64 bytes each, in base64url. */
export interface StoredSeal extends Seal {
  readonly witness: string;
}

export function sealHash({ body, signatures }: Seal): string {
  return sha256(canonicalJson({ body, signatures })).toString('hex');
}

/** The key that has to sign the next seal. */
export function keyInForce({ body, signatures }: Seal): string {
  return body.introduces?.kid ?? signatures[0]!.key;
}

/** Where a tenant's seals stand; undefined before the first. */
export type LastSeal = Seal | undefined;

/** Position up to which a tenant's events are sealed. */
export function sealedUpTo(last: LastSeal): bigint {
  return BigInt(last?.body.upTo ?? 0);
}

/**
 * The seal that follows the last one, over the next events of the tenant in the order of the log.
 * @throws SealKeyError when the key in force is not in the ring, so that nobody can vouch for the one that is
 */
export function nextSeal(
  tenant: string,
  last: LastSeal,
  leaves: readonly Witness[],
  keys: KeyRing,
  sealedAt: string,
): StoredSeal {
  const { current } = keys;
  if (!current) throw new SealKeyError('there is no key to sign seals with: set ATTEST_SEAL_KEY');
  const inForce = last ? keyInForce(last) : current.kid;
  const signer = keys.find(inForce);
  if (!signer) {
    throw new SealKeyError(
      `the seals of ${tenant} are signed with key ${inForce}, which must sign the change to ${current.kid}: ` +
        'set ATTEST_SEAL_KEY_PREVIOUS to it',
    );
  }
  const tree = frontierOf(last);
  for (const { leaf } of leaves) tree.append(leaf);
  const witness = packWitness(leaves);
  const body: SealBody = {
    format: SEAL_FORMAT,
    tenant,
    number: last ? last.body.number + 1 : 0,
    previous: last ? sealHash(last) : CHAIN_START,
    sealedAt,
    from: tree.size - leaves.length,
    size: tree.size,
    after: sealedUpTo(last).toString(),
    upTo: (leaves.at(-1)?.position ?? sealedUpTo(last)).toString(),
    root: tree.root().toString('hex'),
    frontier: tree.subtrees.map((each) => each.toString('hex')),
    witness: sha256(witness).toString('hex'),
    ...((!last || signer !== current) && { introduces: current.publicKey }),
  };
  const message = canonicalJson(body);
  const signers = signer === current ? [current] : [signer, current];
  return { body, signatures: signers.map((key) => ({ key: key.kid, signature: key.sign(message) })), witness };
}

/** The tree as a seal left it. @throws RangeError when its frontier does not fit its size */
export function frontierOf(seal: LastSeal): Frontier {
  if (!seal) return Frontier.empty();
  return Frontier.of(
    seal.body.size,
    seal.body.frontier.map((each) => Buffer.from(each, 'hex')),
  );
}

/**
 * Whether every signature is there and right: by the key in force before, and by the key that the seal introduces.
 * @param inForce undefined for the first seal, which vouches for its own key
 */
export function isSignedBy({ body, signatures }: Seal, inForce: PublicSealKey | undefined): boolean {
  const { introduces } = body;
  const first = inForce ?? introduces;
  if (!first) return false;
  const expected = introduces && introduces.kid !== first.kid ? [first, introduces] : [first];
  const message = canonicalJson(body);
  return (
    signatures.length === expected.length &&
    expected.every(
      (key, i) => signatures[i]!.key === key.kid && verifySignature(key, message, signatures[i]!.signature),
    )
  );
}

/** Bytes of one leaf in a witness: position, leaf hash, marks of stream, data and metadata. */
const WITNESS_BYTES = 8 + HASH_BYTES + 3 * MARK_BYTES;

function packWitness(leaves: readonly Witness[]): string {
  const packed = Buffer.alloc(leaves.length * WITNESS_BYTES);
  leaves.forEach(({ position, leaf, stream, data, metadata }, i) => {
    const at = i * WITNESS_BYTES;
    packed.writeBigUInt64BE(position, at);
    leaf.copy(packed, at + 8);
    packed.write(stream + data + metadata, at + 8 + HASH_BYTES, 'hex');
  });
  return packed.toString('base64url');
}

/** @throws RangeError when it does not hold whole leaves */
export function unpackWitness(witness: string): Witness[] {
  const packed = Buffer.from(witness, 'base64url');
  if (packed.length % WITNESS_BYTES !== 0) throw new RangeError('a witness holds whole leaves');
  return Array.from({ length: packed.length / WITNESS_BYTES }, (_, i) => {
    const at = i * WITNESS_BYTES;
    const marks = at + 8 + HASH_BYTES;
    const mark = (n: number): string => packed.toString('hex', marks + n * MARK_BYTES, marks + (n + 1) * MARK_BYTES);
    return {
      position: packed.readBigUInt64BE(at),
      leaf: packed.subarray(at + 8, marks),
      ...{ stream: mark(0), data: mark(1), metadata: mark(2) },
    };
  });
}

/** The seal in a stored event's data. @throws TypeError when it is none */
export function parseSeal(data: unknown): StoredSeal {
  const { body, signatures, witness } = (data ?? {}) as Partial<StoredSeal>;
  const whole =
    typeof body === 'object' &&
    body?.format === SEAL_FORMAT &&
    typeof witness === 'string' &&
    Array.isArray(signatures) &&
    signatures.length > 0 &&
    signatures.every(({ key, signature }) => typeof key === 'string' && typeof signature === 'string') &&
    [body.number, body.from, body.size].every((each) => Number.isSafeInteger(each) && each >= 0) &&
    [body.after, body.upTo].every((each) => /^\d{1,20}$/.test(each)) &&
    Array.isArray(body.frontier);
  if (!whole) throw new TypeError(`this is no ${SEAL_FORMAT}`);
  return { body, signatures, witness };
}
