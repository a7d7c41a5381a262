import type { Db } from 'mongodb';
import type { Document, Projection } from '../../packages/eventsourcing';
import type { Permission, PermissionsGranted } from '../../packages/people/permissions.events';
import { collectionOf } from './collection';

export interface RolePermissionsDocument extends Document {
  readonly role: string;
  readonly permissions: readonly Permission[];
}

/** What each role may do. */
export const permissions: Projection<RolePermissionsDocument, PermissionsGranted> = {
  name: 'permissions',
  version: 1,
  handles: ['PermissionsGranted'],
  key: ({ data, metadata }) => idOf(metadata.tenant, data.role),
  evolve: (_document, { data, metadata }) => ({
    _id: idOf(metadata.tenant, data.role),
    tenant: metadata.tenant,
    role: data.role,
    permissions: data.permissions,
  }),
  indexes: [],
};

function idOf(tenant: string, role: string): string {
  return `${tenant}:${role}`;
}

/** What a role may do; nothing for a role that was never granted anything. */
export async function findPermissions(db: Db, tenant: string, role: string | null): Promise<readonly Permission[]> {
  if (role === null) return [];
  const found = await (await collectionOf(db, permissions)).findOne({ _id: idOf(tenant, role) });
  return found?.permissions ?? [];
}
