import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { canonicalJson } from './integrity';

/** What stands in the log in the place of a personal field. Storage format: base64url of nonce, ciphertext and tag. */
export interface SealedField {
  readonly sealed: string;
}

/** The event that a field belongs to. A sealed field opens in that event only. */
export interface FieldOwner {
  readonly tenant: string;
  readonly person: string;
  /** Id and wire name of the event. */
  readonly id: string;
  readonly type: string;
}

/** Category of the streams that hold the wrapped keys of people: no history of the domain, never sealed, landed or projected. */
export const KEY_CATEGORY = 'personkey';

/** Bytes of a person's key, AES-256. */
export const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts with AES-256-GCM under a nonce of its own. `bound` must be the same again to decrypt. */
export function encrypt(key: Uint8Array, clear: Uint8Array, bound: readonly string[]): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(Buffer.from(canonicalJson(bound)));
  return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
}

/** The clear bytes; undefined when the key, what it is bound to, or a single bit is another. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, bound: readonly string[]): Buffer | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(canonicalJson(bound)));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const clear = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([clear, decipher.final()]);
  } catch {
    return undefined; // the tag does not fit
  }
}

/** Whether there is something in these fields that must not be stored as it is. */
export function hasPersonal(data: object, fields: readonly string[]): boolean {
  return fields.some((field) => (data as Record<string, unknown>)[field] != null);
}

/** The data as it is hashed and stored: what stands in these fields encrypted, null left as it is. */
export function sealFields(data: object, fields: readonly string[], key: Uint8Array, owner: FieldOwner): object {
  return mapFields(data, fields, (value, field) => {
    const sealed = encrypt(key, Buffer.from(JSON.stringify(value)), boundTo(owner, field));
    return { sealed: sealed.toString('base64url') } satisfies SealedField;
  });
}

/**
 * The data as the domain knows it. A field that cannot be opened is null: its key was destroyed, or somebody changed it, which the
 * verification of the hash chain tells.
 * @param key undefined when there is none any more
 */
export function openFields(
  data: object,
  fields: readonly string[],
  key: Uint8Array | undefined,
  owner: FieldOwner,
): object {
  return mapFields(data, fields, (value, field) => {
    if (!isSealed(value)) return value; // written before personal data was encrypted
    const clear = key && decrypt(key, Buffer.from(value.sealed, 'base64url'), boundTo(owner, field));
    return clear ? (JSON.parse(clear.toString()) as unknown) : null;
  });
}

/** The data with nothing readable in these fields, for stores that need not know: sealed ones stay sealed. */
export function concealFields(data: object, fields: readonly string[]): object {
  return mapFields(data, fields, (value) => (isSealed(value) ? value : null));
}

export function isSealed(value: unknown): value is SealedField {
  return typeof value === 'object' && value !== null && typeof (value as SealedField).sealed === 'string';
}

function boundTo({ tenant, person, id, type }: FieldOwner, field: string): readonly string[] {
  return [tenant, person, type, field, id];
}

function mapFields(
  data: object,
  fields: readonly string[],
  change: (value: unknown, field: string) => unknown,
): object {
  const changed: Record<string, unknown> = { ...data };
  for (const field of fields) if (changed[field] != null) changed[field] = change(changed[field], field);
  return changed;
}
