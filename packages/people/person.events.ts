// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** Personal data stands in events of this stream only; everything else refers to the person by id. */
export interface PersonalName {
  readonly given: string;
  readonly family: string;
}

/** By which version of the tenant's mapping the job title became the role; not `mapped` means by its default. */
export interface MappedBy {
  readonly version: number;
  readonly mapped: boolean;
}

interface Position {
  readonly jobTitle: string;
  readonly role: string;
  /** Null when the sender named the role. */
  readonly mapping: MappedBy | null;
}

interface Placement {
  readonly orgUnit: string;
  /** Person id of the manager, as the HRIS said it; null at the top. */
  readonly manager: string | null;
}

interface Effective {
  readonly person: string;
  /** ISO 8601 date. */
  readonly effectiveOn: string;
}

export type PersonHired = DomainEvent<
  'PersonHired',
  Effective &
    Position &
    Placement & {
      readonly employeeNumber: string;
      readonly name: PersonalName | null;
      readonly email: string | null;
    }
>;

/** Somebody who had left works here again, under the same id. */
export type PersonRehired = DomainEvent<'PersonRehired', Effective & Position & Placement>;

export type RoleChanged = DomainEvent<
  'RoleChanged',
  Effective &
    Position & {
      /** What was held until that day, as it was known then; empty when nothing was. */
      readonly previousRole: string;
    }
>;

export type PersonTransferred = DomainEvent<'PersonTransferred', Effective & Placement>;
export type PersonTerminated = DomainEvent<'PersonTerminated', Effective>;

export type ProfileCorrected = DomainEvent<
  'ProfileCorrected',
  { readonly person: string; readonly name: PersonalName | null; readonly email: string | null }
>;

/** The person's key is destroyed from here on: nothing personal of them can be read, and nothing more is taken. */
export type PersonErased = DomainEvent<
  'PersonErased',
  {
    readonly person: string;
    /** Which of the person's requests for erasure it was, see packages/privacy. */
    readonly erasure: number;
  }
>;

/**
 * Facts of one person are recorded in the order in which they become known, which can be any. `effectiveOn` says from when each holds; of
 * two of one day a departure wins over a hire and a rehire over a departure, a change over what the hire said, and otherwise the
 * later one. Whom somebody reports to is told by `ReportingLineChanged`.
 */
export type PersonEvent =
  PersonHired | PersonRehired | RoleChanged | PersonTransferred | PersonTerminated | ProfileCorrected | PersonErased;

const unmapped = (data: object): object => ({ ...data, mapping: null });
/** The same fields, stored in clear until then and encrypted since. */
const encrypted = (data: object): object => data;
const personal = ['name', 'email'];

export const personEventVersions: EventVersions<PersonEvent> = {
  PersonHired: { version: 3, upcast: { 1: unmapped, 2: encrypted }, personal },
  PersonRehired: { version: 1 },
  RoleChanged: { version: 2, upcast: { 1: unmapped } },
  PersonTransferred: { version: 1 },
  PersonTerminated: { version: 1 },
  PersonErased: { version: 1 },
  ProfileCorrected: { version: 2, upcast: { 1: encrypted }, personal },
};
