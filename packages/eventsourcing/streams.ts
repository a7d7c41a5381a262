import { v5 as uuidv5 } from 'uuid';

/** Namespace of every id that Attest derives from names. Part of the storage format: never change it. */
const NAMESPACE = '5f0c3a52-54a5-5d0b-9c3e-7a1d0f6f2b11';

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
  return uuidv5(parts.join('\u0000'), NAMESPACE);
}

/** Event ids follow from the command, so that a retried append is recognised by the store. */
export function eventId(commandId: string, index: number): string {
  return derivedId(commandId, index);
}
