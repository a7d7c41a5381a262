// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

interface Mapping {
  /** Version of the tenant's mapping that begins with this event, counted from 1. */
  readonly version: number;
}

export type JobTitleMapped = DomainEvent<
  'JobTitleMapped',
  Mapping & { readonly jobTitle: string; readonly role: string }
>;

/** The title stands for the default again: `role`. */
export type JobTitleUnmapped = DomainEvent<
  'JobTitleUnmapped',
  Mapping & { readonly jobTitle: string; readonly role: string }
>;

/** Titles that are not mapped stand for this role; for the slug of the title when it is null. */
export type DefaultRoleSet = DomainEvent<'DefaultRoleSet', Mapping & { readonly role: string | null }>;

export type TitleMappingEvent = JobTitleMapped | JobTitleUnmapped | DefaultRoleSet;

export const titleMappingEventVersions: EventVersions<TitleMappingEvent> = {
  JobTitleMapped: { version: 1 },
  JobTitleUnmapped: { version: 1 },
  DefaultRoleSet: { version: 1 },
};
