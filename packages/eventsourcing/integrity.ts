import { hash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';
import type { EventMetadata } from './messages';

/** What the first event of a stream is chained to. */
export const CHAIN_START = '0'.repeat(64);

/**
 * One link of a stream's hash chain: SHA-256, hex, over the previous link and the RFC 8785 canonical JSON of the event.
 * The hash itself is the only metadata left out. Storage format.
 */
export function chainHash(
  previous: string,
  event: { id: string; type: string; data: object; metadata: Omit<EventMetadata, 'hash'> },
): string {
  const { id, type, data, metadata } = event;
  return chainHashOf(previous, { id, type }, canonicalJson(data), canonicalJson({ ...metadata, hash: undefined }));
}

/**
 * `chainHash` for whoever has the canonical JSON of data and metadata already.
 * @param metadata without the hash
 */
export function chainHashOf(
  previous: string,
  { id, type }: { id: string; type: string },
  data: string,
  metadata: string,
): string {
  // The canonical JSON of { id, type, data, metadata }, put together from its parts.
  const event = `{"data":${data},"id":${JSON.stringify(id)},"metadata":${metadata},"type":${JSON.stringify(type)}}`;
  return hash('sha256', previous + event, 'hex');
}

/** Sorts members by UTF-16 code units (RFC 8785, 3.2.3); how it writes strings and numbers is that of ECMAScript, as 3.2.2 asks for. */
const stringify = configure({ strict: true });

/** RFC 8785 canonical JSON. @throws TypeError for a value that JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  const json = stringify(value);
  if (json === undefined) throw new TypeError('a value that JSON cannot hold has no canonical form');
  return json;
}
