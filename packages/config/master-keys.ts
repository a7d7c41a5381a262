import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const BYTES = 32;
const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/;

/** A key that wraps the keys of people. */
export interface MasterKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/**
 * Reads `<id>:<32 bytes in base64>`, several parted by commas: the first wraps, the others unwrap what they wrapped before.
 * @throws RangeError that says what is wrong, and never shows a key
 */
export function parseMasterKeys(text: string): readonly MasterKey[] {
  const keys = text.split(',').map((part, index) => {
    const [, id, encoded] = KEY.exec(part.trim()) ?? [];
    const key = Buffer.from(encoded ?? '', 'base64');
    if (id && key.length === BYTES) return { id, key };
    throw new RangeError(`key ${index + 1} is not <id>:<32 bytes in base64>, as in 2026:$(openssl rand -base64 32)`);
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new RangeError('two keys have the same id');
  return keys;
}

/** The master keys in this file, which is made readable by the owner only when it does not exist yet. */
export function openMasterKeys(file: string): readonly MasterKey[] {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `local:${randomBytes(BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  }
  try {
    return parseMasterKeys(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new RangeError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}
