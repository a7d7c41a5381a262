import type { Db } from 'mongodb';
import { type Caller, ForbiddenError } from '../../packages/auth';
import { findPerson } from '../../projections/mongo/people';
import { findPermissions } from '../../projections/mongo/permissions';

const TENANT_WIDE = ['admin', 'compliance', 'analyst', 'service'] as const;
/** Longest reporting line that is followed. */
const DEPTH = 32;

export function seesWholeTenant({ roles }: Caller): boolean {
  return TENANT_WIDE.some((role) => roles.includes(role));
}

/**
 * Learners see themselves. Managers, and whoever holds a role that is permitted it, also see everybody below them in the current reporting
 * lines; others their whole tenant.
 * @throws ForbiddenError
 */
export async function requireAccessTo(db: Db, caller: Caller, person: string): Promise<void> {
  if (seesWholeTenant(caller) || caller.sub === person) return;
  if (await seesTeam(db, caller)) {
    let above = (await findPerson(db, caller.tenant, person))?.manager;
    for (let depth = 0; above && depth < DEPTH; depth++) {
      if (above === caller.sub) return;
      above = (await findPerson(db, caller.tenant, above))?.manager;
    }
  }
  throw new ForbiddenError(`Person ${person} is neither you nor somebody who reports to you.`);
}

/** @throws ForbiddenError for whoever sees nobody but themselves */
export async function requireTeamSight(db: Db, caller: Caller): Promise<void> {
  if (seesWholeTenant(caller) || (await seesTeam(db, caller))) return;
  throw new ForbiddenError('This is for managers, and for whoever holds a role that may see its team.');
}

/** A manager by token, or by the role that the HRIS says they hold. */
async function seesTeam(db: Db, { roles, sub, tenant }: Caller): Promise<boolean> {
  if (roles.includes('manager')) return true;
  const person = await findPerson(db, tenant, sub);
  return person?.status === 'active' && (await findPermissions(db, tenant, person.role)).includes('see-team');
}
