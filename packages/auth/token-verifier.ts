import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { type Role, ROLES } from '../commands/role';
import { type Caller, UnauthenticatedError } from './caller';

export interface IssuerSettings {
  readonly issuer: string;
  readonly audience: string;
  /** The issuer's public keys, or the URL that serves them. */
  readonly jwks: JSONWebKeySet | URL;
}

const REMEMBERED = 10_000;
const TENANT = /^[a-z0-9]{1,32}$/;

/** Checks bearer tokens (JWT) against one issuer. A token once verified is remembered until it expires. */
export class TokenVerifier {
  private readonly keys;
  private readonly verified = new Map<string, { caller: Caller; expiresAt: number }>();

  constructor(private readonly settings: IssuerSettings) {
    const { jwks } = settings;
    this.keys = jwks instanceof URL ? createRemoteJWKSet(jwks) : createLocalJWKSet(jwks);
  }

  /**
   * @param authorization the whole header value, `Bearer <token>`
   * @throws UnauthenticatedError
   */
  async verify(authorization: string | undefined): Promise<Caller> {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new UnauthenticatedError('Send a token: "Authorization: Bearer <token>".');
    const known = this.verified.get(token);
    if (known && known.expiresAt > Date.now()) return known.caller;
    try {
      const { issuer, audience } = this.settings;
      const options = { issuer, audience, requiredClaims: ['sub', 'exp', 'tenant', 'roles'] };
      const { payload } = await jwtVerify(token, this.keys, options);
      const caller = callerOf(payload);
      if (this.verified.size >= REMEMBERED) this.verified.clear();
      this.verified.set(token, { caller, expiresAt: payload.exp! * 1000 });
      return caller;
    } catch (error) {
      if (error instanceof errors.JOSEError)
        throw new UnauthenticatedError(`The token is not valid: ${error.message}.`);
      throw error;
    }
  }
}

function callerOf({ sub, tenant, roles }: JWTPayload): Caller {
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) {
    throw new UnauthenticatedError('The token\'s claim "tenant" must be 1 to 32 of a-z and 0-9.');
  }
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isRole)) {
    throw new UnauthenticatedError(`The token's claim "roles" must be a list of ${ROLES.join(', ')}.`);
  }
  return { sub: sub!, tenant, roles };
}

function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}
