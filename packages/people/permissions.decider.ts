import { isDeepStrictEqual } from 'node:util';
import type { Command, Decider } from '../eventsourcing';
import type { Permission, PermissionsGranted } from './permissions.events';

/** What a role may do; version 0 for a role that was never granted anything. */
export interface RolePermissions {
  readonly version: number;
  readonly permissions: readonly Permission[];
}

const initialState: RolePermissions = { version: 0, permissions: [] };

export interface PermissionCommandData {
  GrantPermissions: { role: string; permissions: Permission[] };
}

export type PermissionCommand = Command<'GrantPermissions', PermissionCommandData['GrantPermissions']>;

function decide({ data }: PermissionCommand, state: RolePermissions): readonly PermissionsGranted[] {
  const permissions = [...new Set(data.permissions)].sort();
  if (isDeepStrictEqual(permissions, state.permissions)) return [];
  return [{ type: 'PermissionsGranted', data: { role: data.role, permissions, version: state.version + 1 } }];
}

function evolve(_state: RolePermissions, { data: { version, permissions } }: PermissionsGranted): RolePermissions {
  return { version, permissions };
}

export const permissionDecider: Decider<RolePermissions, PermissionCommand, PermissionsGranted> = {
  category: 'permission',
  initialState,
  id: ({ data }) => data.role,
  decide,
  evolve,
};
