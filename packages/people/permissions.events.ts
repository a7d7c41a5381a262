// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** What whoever holds the role may do in Attest from now on: the whole list, which takes the place of the one before. */
export type PermissionsGranted = DomainEvent<
  'PermissionsGranted',
  { readonly role: string; readonly permissions: readonly Permission[]; readonly version: number }
>;

/** Read the records and reports of everybody below oneself in the reporting lines. */
export const PERMISSIONS = ['see-team'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const permissionEventVersions: EventVersions<PermissionsGranted> = { PermissionsGranted: { version: 1 } };
