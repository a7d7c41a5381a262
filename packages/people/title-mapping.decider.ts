import { type Command, type Decider, unreachable } from '../eventsourcing';
import type { MappedBy } from './person.events';
import { roleOfJobTitle } from './roles';
import type { TitleMappingEvent } from './title-mapping.events';

/** What a tenant's job titles stand for. */
export interface TitleMapping {
  /** 0 while nothing was ever mapped. */
  readonly version: number;
  readonly roles: ReadonlyMap<string, string>;
  /** Role of the titles that are not mapped; the slug of the title when null. */
  readonly defaultRole: string | null;
}

const initialState: TitleMapping = { version: 0, roles: new Map(), defaultRole: null };

/** The one mapping of a tenant. */
export const TITLE_MAPPING = 'roles';

export interface TitleMappingCommandData {
  MapJobTitle: { jobTitle: string; role: string };
  UnmapJobTitle: { jobTitle: string };
  SetDefaultRole: { role?: string };
}

export type TitleMappingCommand = {
  [Type in keyof TitleMappingCommandData]: Command<Type, TitleMappingCommandData[Type]>;
}[keyof TitleMappingCommandData];

/** The role that a job title stands for now, and what made it so. */
export function roleOf(mapping: TitleMapping, jobTitle: string): { role: string; mapping: MappedBy } {
  const { version, roles } = mapping;
  const mapped = roles.get(jobTitle);
  return { role: mapped ?? defaultOf(mapping, jobTitle), mapping: { version, mapped: mapped !== undefined } };
}

function defaultOf({ defaultRole }: TitleMapping, jobTitle: string): string {
  return defaultRole ?? roleOfJobTitle(jobTitle);
}

function decide(command: TitleMappingCommand, state: TitleMapping): readonly TitleMappingEvent[] {
  const version = state.version + 1;
  switch (command.type) {
    case 'MapJobTitle': {
      const { jobTitle, role } = command.data;
      return state.roles.get(jobTitle) === role ? [] : [{ type: 'JobTitleMapped', data: { version, jobTitle, role } }];
    }
    case 'UnmapJobTitle': {
      const { jobTitle } = command.data;
      if (!state.roles.has(jobTitle)) return [];
      return [{ type: 'JobTitleUnmapped', data: { version, jobTitle, role: defaultOf(state, jobTitle) } }];
    }
    case 'SetDefaultRole': {
      const { role = null } = command.data;
      return role === state.defaultRole ? [] : [{ type: 'DefaultRoleSet', data: { version, role } }];
    }
    default:
      return unreachable(command);
  }
}

function evolve(state: TitleMapping, event: TitleMappingEvent): TitleMapping {
  const { version } = event.data;
  switch (event.type) {
    case 'JobTitleMapped':
      return { ...state, version, roles: new Map(state.roles).set(event.data.jobTitle, event.data.role) };
    case 'JobTitleUnmapped': {
      const roles = new Map(state.roles);
      roles.delete(event.data.jobTitle);
      return { ...state, version, roles };
    }
    case 'DefaultRoleSet':
      return { ...state, version, defaultRole: event.data.role };
    default:
      return unreachable(event);
  }
}

export const titleMappingDecider: Decider<TitleMapping, TitleMappingCommand, TitleMappingEvent> = {
  category: 'titlemapping',
  initialState,
  id: () => TITLE_MAPPING,
  decide,
  evolve,
};
