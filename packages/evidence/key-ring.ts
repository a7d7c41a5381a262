import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { JsonWebKey } from 'node:crypto';
import { dirname } from 'node:path';
import { parsePublicKeys, type PublicSealKey, SealKey, SealKeyError } from './seal-key';

/** Where keys come from: texts of the environment, or a file that is made on first use. */
export interface KeySource {
  /** PEM or JWK of the key that signs. */
  readonly key?: string | undefined;
  /** PEM or JWK of the key that signed until now: it signs the seal that introduces `key`. */
  readonly previousKey?: string | undefined;
  /** JWKS of further keys to believe. */
  readonly publicKeys?: string | undefined;
  /** A file of private keys, newest first; made, for its owner only, when there is no `key` and no `publicKeys`. */
  readonly file?: string | undefined;
}

/** The keys that a process holds: those that it can sign with, newest first, and those that it believes. */
export class KeyRing {
  constructor(
    readonly signing: readonly SealKey[],
    private readonly others: readonly PublicSealKey[] = [],
  ) {}

  /** @throws SealKeyError that names the variable or the file */
  static open({ key, previousKey, publicKeys, file }: KeySource): KeyRing {
    const others = publicKeys ? parsePublicKeys(publicKeys, 'ATTEST_SEAL_PUBLIC_KEYS') : [];
    if (key) {
      const signing = [SealKey.parse(key, 'ATTEST_SEAL_KEY')];
      if (previousKey) signing.push(SealKey.parse(previousKey, 'ATTEST_SEAL_KEY_PREVIOUS'));
      return new KeyRing(signing, others);
    }
    if (others.length > 0 || !file) return new KeyRing([], others);
    return new KeyRing(keysIn(file));
  }

  get current(): SealKey | undefined {
    return this.signing[0];
  }

  find(kid: string): SealKey | undefined {
    return this.signing.find((key) => key.kid === kid);
  }

  /** Whose signatures count, newest first. */
  get trusted(): readonly PublicSealKey[] {
    const known = [...this.signing.map(({ publicKey }) => publicKey), ...this.others];
    return known.filter(({ kid }, i) => known.findIndex((other) => other.kid === kid) === i);
  }
}

/** Puts a new key in front of those in the file. Gives the one that it replaces and the new one. */
export function rotateKeyFile(file: string): { previous: PublicSealKey; current: PublicSealKey } {
  const keys = keysIn(file);
  const fresh = SealKey.generate();
  write(file, [fresh, ...keys]);
  return { previous: keys[0]!.publicKey, current: fresh.publicKey };
}

function keysIn(file: string): SealKey[] {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    write(file, [SealKey.generate()]);
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600); // A copy or a restored backup may have opened it.
  const { keys = [] } = JSON.parse(readFileSync(file, 'utf8')) as { keys?: JsonWebKey[] };
  if (keys.length === 0) throw new SealKeyError(`${file} holds no key`);
  return keys.map((key) => SealKey.parse(JSON.stringify(key), file));
}

function write(file: string, keys: readonly SealKey[]): void {
  writeFileSync(`${file}.new`, JSON.stringify({ keys: keys.map((key) => key.export()) }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
