import type { Role } from '../commands';

/** Who is asking, as the token says. */
export interface Caller {
  /** Person id for learners and managers; any stable name for services. */
  readonly sub: string;
  readonly tenant: string;
  readonly roles: readonly Role[];
}

/** No valid token. */
export class UnauthenticatedError extends Error {
  override name = 'UnauthenticatedError';
}

/** A valid token that does not allow this. */
export class ForbiddenError extends Error {
  override name = 'ForbiddenError';
}

/** @throws ForbiddenError unless the caller holds one of the roles. */
export function requireRole(caller: Caller, allowed: readonly Role[]): void {
  if (caller.roles.some((role) => allowed.includes(role))) return;
  throw new ForbiddenError(
    `This needs one of the roles ${allowed.join(', ')}; the token has ${caller.roles.join(', ')}.`,
  );
}

/** @throws ForbiddenError unless it is about the caller, or the caller acts for others as admin or service. */
export function requireOwn(caller: Caller, isOwn: (sub: string) => boolean): void {
  if (caller.roles.includes('admin') || caller.roles.includes('service') || isOwn(caller.sub)) return;
  throw new ForbiddenError('This may only be sent about yourself.');
}
