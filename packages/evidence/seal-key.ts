import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { sha256 } from './merkle';

/** The public half of a key that seals are signed with, as RFC 8037 writes it. */
export interface PublicSealKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

/** A key cannot be used; the message says which and why. */
export class SealKeyError extends Error {
  override name = 'SealKeyError';
}

/** A key that signs seals: Ed25519. */
export class SealKey {
  readonly publicKey: PublicSealKey;

  private constructor(private readonly key: KeyObject) {
    this.publicKey = publicSealKey(createPublicKey(key).export({ format: 'jwk' }));
  }

  static generate(): SealKey {
    return new SealKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** @param text PEM (PKCS #8) or a JWK. @throws SealKeyError that calls the key `name` */
  static parse(text: string, name: string): SealKey {
    const jwk = jsonOf(text);
    let key: KeyObject;
    try {
      key = jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(text);
    } catch (error) {
      throw new SealKeyError(`${name} is no private key in PEM (PKCS #8) or JWK: ${(error as Error).message}`);
    }
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new SealKeyError(`${name} is a key for ${key.asymmetricKeyType ?? 'nothing'}; seals need Ed25519`);
    }
    return new SealKey(key);
  }

  get kid(): string {
    return this.publicKey.kid;
  }

  /** Gives the signature in base64url. */
  sign(message: string): string {
    return sign(null, Buffer.from(message), this.key).toString('base64url');
  }

  /** The private key as a JWK, to be kept in a file. */
  export(): JsonWebKey {
    return { ...this.key.export({ format: 'jwk' }), kid: this.kid };
  }
}

/** A public key in the one form that Attest writes. @throws SealKeyError for another kind of key */
export function publicSealKey(jwk: JsonWebKey): PublicSealKey {
  const { kty, crv, x } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || Buffer.from(x, 'base64url').length !== 32) {
    throw new SealKeyError(`a public key of seals is an Ed25519 JWK, not ${String(kty)} ${String(crv)}`);
  }
  const kid = sha256(`{"crv":"Ed25519","kty":"OKP","x":${JSON.stringify(x)}}`).toString('base64url');
  return { kty, crv, x, kid, use: 'sig', alg: 'EdDSA' };
}

/** Public keys from a JWKS or a single JWK. @throws SealKeyError that calls the text `name` */
export function parsePublicKeys(text: string, name: string): PublicSealKey[] {
  const parsed = jsonOf(text);
  if (!parsed) throw new SealKeyError(`${name} must be a JWKS, {"keys": [...]}, as the API publishes it`);
  const { keys = [parsed] } = parsed as { keys?: JsonWebKey[] };
  return keys.map(publicSealKey);
}

/** Whether the signature holds. What is no key, for somebody has altered it, has signed nothing. */
export function verifySignature(key: PublicSealKey, message: string, signature: string): boolean {
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: { ...key }, format: 'jwk' });
  } catch {
    return false;
  }
  return verify(null, Buffer.from(message), publicKey, Buffer.from(signature, 'base64url'));
}

function jsonOf(text: string): JsonWebKey | undefined {
  try {
    const parsed = JSON.parse(text) as unknown;
    return typeof parsed === 'object' && parsed !== null ? (parsed as JsonWebKey) : undefined;
  } catch {
    return undefined; // No JSON: then it is to be PEM, and whoever asked says so if it is not.
  }
}
