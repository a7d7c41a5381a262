import type { Db } from 'mongodb';
import { type Caller, ForbiddenError } from '../../packages/auth';
import { findPerson } from '../../projections/mongo/people';

const TENANT_WIDE = ['admin', 'compliance', 'analyst', 'service'] as const;
/** Longest reporting line that is followed. */
const DEPTH = 32;

export function seesWholeTenant({ roles }: Caller): boolean {
  return TENANT_WIDE.some((role) => roles.includes(role));
}

/**
 * Learners see themselves, managers also everybody below them in the current reporting lines, others their whole tenant.
 * @throws ForbiddenError
 */
export async function requireAccessTo(db: Db, caller: Caller, person: string): Promise<void> {
  if (seesWholeTenant(caller) || caller.sub === person) return;
  if (caller.roles.includes('manager')) {
    let above = (await findPerson(db, caller.tenant, person))?.manager;
    for (let depth = 0; above && depth < DEPTH; depth++) {
      if (above === caller.sub) return;
      above = (await findPerson(db, caller.tenant, above))?.manager;
    }
  }
  throw new ForbiddenError(`Person ${person} is neither you nor somebody who reports to you.`);
}
