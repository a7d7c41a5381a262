import { hash } from 'node:crypto';

/** Namespace of every id that Attest derives from names. Part of the storage format: never change it. */
const NAMESPACE = Buffer.from('5f0c3a5254a55d0b9c3e7a1d0f6f2b11', 'hex');

const TENANT = /^[a-z0-9]{1,32}$/;
const STREAM = /^([a-z0-9]{1,32})\.([a-z]+)-(.+)$/;

/** `<tenant>.<category>-<id>`. @throws RangeError for a tenant that is not `[a-z0-9]{1,32}`. */
export function streamName(tenant: string, category: string, id: string): string {
  if (!TENANT.test(tenant)) throw new RangeError(`tenant "${tenant}" must be 1 to 32 of a-z and 0-9`);
  return `${tenant}.${category}-${id}`;
}

export interface StreamParts {
  tenant: string;
  category: string;
  id: string;
}

/** The parts of a stream name, or undefined for a stream that is not one of Attest's. */
export function parseStreamName(stream: string): StreamParts | undefined {
  const match = STREAM.exec(stream);
  if (!match) return undefined;
  const [, tenant, category, id] = match as unknown as [string, string, string, string];
  return { tenant, category, id };
}

/** UUIDv5 over the parts, so that the same names give the same id wherever it is computed. */
export function derivedId(...parts: readonly (string | number)[]): string {
  return uuidOf(NAMESPACE, parts.join('\u0000'));
}

/**
 * UUIDv5 (RFC 9562, 5.5): the first 128 bits of the SHA-1 of namespace and name, but for those that say version and variant.
 * @param namespace 16 bytes
 * @throws RangeError for half surrogate pairs, for which UTF-8 has no bytes
 */
export function uuidOf(namespace: Buffer, name: string): string {
  if (!name.isWellFormed()) throw new RangeError('a name for an id must be well-formed Unicode');
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'hex');
  const variant = ((parseInt(hex[16]!, 16) & 0b0011) | 0b1000).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Event ids follow from the command, so that a retried append is recognised by the store. */
export function eventId(commandId: string, index: number): string {
  return derivedId(commandId, index);
}
