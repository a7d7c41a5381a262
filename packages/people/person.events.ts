// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** Personal data stands in events of this stream only; everything else refers to the person by id. */
export interface PersonalName {
  readonly given: string;
  readonly family: string;
}

export type PersonHired = DomainEvent<
  'PersonHired',
  {
    readonly person: string;
    readonly employeeNumber: string;
    readonly name: PersonalName | null;
    readonly email: string | null;
    readonly jobTitle: string;
    readonly role: string;
    readonly orgUnit: string;
    /** Person id of the manager; null at the top. */
    readonly manager: string | null;
    /** ISO 8601 date. */
    readonly effectiveOn: string;
  }
>;

export type RoleChanged = DomainEvent<
  'RoleChanged',
  {
    readonly person: string;
    readonly jobTitle: string;
    readonly role: string;
    readonly previousRole: string;
    readonly effectiveOn: string;
  }
>;

export type PersonTransferred = DomainEvent<
  'PersonTransferred',
  { readonly person: string; readonly orgUnit: string; readonly manager: string | null; readonly effectiveOn: string }
>;

export type PersonTerminated = DomainEvent<
  'PersonTerminated',
  { readonly person: string; readonly effectiveOn: string }
>;

export type PersonEvent = PersonHired | RoleChanged | PersonTransferred | PersonTerminated;

export const personEventVersions: EventVersions<PersonEvent> = {
  PersonHired: { version: 1 },
  RoleChanged: { version: 1 },
  PersonTransferred: { version: 1 },
  PersonTerminated: { version: 1 },
};
