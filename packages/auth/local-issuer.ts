import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { Caller } from './caller';
import type { IssuerSettings } from './token-verifier';

const ISSUER = 'attest-local';
const AUDIENCE = 'attest';
const ALGORITHM = 'EdDSA';

/** Signs short-lived tokens with a key of its own, for the embedded default. In production a real issuer takes its place. */
export class LocalIssuer {
  private constructor(private readonly key: JWK) {}

  /** Uses the key in this file, which is made readable by the owner only when it does not exist yet. */
  static async open(keyFile: string): Promise<LocalIssuer> {
    if (!existsSync(keyFile)) {
      const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
      const key = { ...(await exportJWK(privateKey)), kid: 'local', alg: ALGORITHM };
      mkdirSync(dirname(keyFile), { recursive: true });
      writeFileSync(keyFile, JSON.stringify(key), { mode: 0o600 });
    }
    return new LocalIssuer(JSON.parse(readFileSync(keyFile, 'utf8')) as JWK);
  }

  get settings(): IssuerSettings {
    const publicKey = { ...this.key };
    delete publicKey.d;
    return { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [publicKey] } };
  }

  /** @param expiresIn for example `1h` */
  async issue({ sub, tenant, roles }: Caller, expiresIn: string): Promise<string> {
    return new SignJWT({ tenant, roles: [...roles] })
      .setProtectedHeader({ alg: ALGORITHM, kid: 'local' })
      .setSubject(sub)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(await importJWK(this.key, ALGORITHM));
  }
}
