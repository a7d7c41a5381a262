import { hash } from 'node:crypto';
import { canonicalJson, chainHashOf, KEY_CATEGORY, parseStreamName } from '../eventsourcing';
import { leafHash } from './merkle';

/** An event exactly as the store holds it: neither lifted to a newer version nor decrypted. */
export interface StoredEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly type: string;
  /** As the client parsed it; text or bytes where it is no JSON. */
  readonly data: unknown;
  readonly metadata: unknown;
  /** ISO 8601; when the store recorded it. */
  readonly recordedAt: string;
}

/** How many bytes of a digest a witness keeps: enough to say what was altered, while the leaf proves that something was. */
export const MARK_BYTES = 8;

/** What stands for an event in a seal. */
export interface Witness {
  readonly position: bigint;
  /** RFC 9162 leaf hash over everything that is stored. */
  readonly leaf: Buffer;
  /** First bytes of the SHA-256 of the stream's name, of the data and of the metadata, hex. */
  readonly stream: string;
  readonly data: string;
  readonly metadata: string;
}

/** An event with what its integrity rests on. */
export interface Fingerprint {
  readonly witness: Witness;
  /** The link that the event claims; undefined where Attest did not write it. */
  readonly link: string | undefined;
  /** The link that it should have behind another. */
  readonly linkBehind: (previous: string) => string;
}

/** Categories of streams that are not sealed: the seals themselves, and the keys of people, which erasure must be able to destroy. */
const UNSEALED: ReadonlySet<string> = new Set(['seals', KEY_CATEGORY]);

/** The tenant whose history an event belongs to; undefined for events of nobody's history. */
export function sealedTenant(stream: string): string | undefined {
  const parts = parseStreamName(stream);
  return parts && !UNSEALED.has(parts.category) ? parts.tenant : undefined;
}

/**
 * The input of an event's leaf: canonical JSON in which data and metadata stand as the SHA-256 of their own canonical JSON, metadata
 * without the link, which stands beside. Storage format: see README.md.
 */
export function leafInput(event: StoredEvent, data: string, metadata: string, link: string | undefined): string {
  const { id, position, recordedAt, revision, stream, type } = event;
  const members = {
    data,
    hash: link ?? null,
    id,
    metadata,
    position: position.toString(),
    recordedAt,
    revision,
    stream,
    type,
  };
  return JSON.stringify(members); // Canonical as it stands: the members are in order and have none of their own.
}

export function fingerprint(event: StoredEvent): Fingerprint {
  const { hash: link, ...rest } = (isObject(event.metadata) ? event.metadata : {}) as Record<string, unknown>;
  const dataJson = canonicalJson(event.data ?? null);
  const metadataJson = canonicalJson(isObject(event.metadata) ? rest : (event.metadata ?? null));
  const [data, metadata] = [hash('sha256', dataJson), hash('sha256', metadataJson)];
  const known = typeof link === 'string' ? link : undefined;
  return {
    witness: {
      position: event.position,
      leaf: leafHash(leafInput(event, data, metadata, known)),
      stream: streamMark(event.stream),
      data: data.slice(0, 2 * MARK_BYTES),
      metadata: metadata.slice(0, 2 * MARK_BYTES),
    },
    link: known,
    linkBehind: (previous) => chainHashOf(previous, event, dataJson, metadataJson),
  };
}

/** What stands for a stream's name in a witness. */
export function streamMark(stream: string): string {
  return hash('sha256', stream).slice(0, 2 * MARK_BYTES);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
