import { given } from '../eventsourcing/testing';
import { permissionDecider } from './permissions.decider';
import type { Permission, PermissionsGranted } from './permissions.events';

const at = '2026-03-01T00:00:00.000Z';
const role = 'technique-leader';
const granted: PermissionsGranted = {
  type: 'PermissionsGranted',
  data: { role, permissions: ['see-team'], version: 1 },
};
const grant = (...permissions: Permission[]) =>
  ({ type: 'GrantPermissions', at, data: { role, permissions } }) as const;

describe('the permissions of a role', () => {
  it('are granted as a whole, each once', () => {
    given(permissionDecider).when(grant('see-team', 'see-team')).then(granted);
  });

  it('are taken away by an empty list', () => {
    const taken: PermissionsGranted = { type: 'PermissionsGranted', data: { role, permissions: [], version: 2 } };
    given(permissionDecider, [granted]).when(grant()).then(taken);
    given(permissionDecider).when(grant()).thenNothing();
  });
});
