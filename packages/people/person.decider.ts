import { isDeepStrictEqual } from 'node:util';
import {
  type Command,
  type Dated,
  datedOn,
  dayOf,
  type Decider,
  derivedId,
  DomainError,
  unreachable,
  withDated,
} from '../eventsourcing';
import type { MappedBy, PersonalName, PersonEvent } from './person.events';

interface Position {
  readonly jobTitle: string;
  readonly role: string;
}

interface Placement {
  readonly orgUnit: string;
  readonly manager: string | null;
}

/** A person as all facts known so far tell of them, each attribute with its history. */
export interface Person {
  readonly employeeNumber: string | null;
  readonly name: PersonalName | null;
  readonly email: string | null;
  /** Nothing personal is taken of them any more. */
  readonly isErased: boolean;
  /** Days on which they were hired for the first time, as the HRIS said it. */
  readonly hires: readonly string[];
  /** Whether they work here. */
  readonly employed: readonly Dated<boolean>[];
  readonly positions: readonly Dated<Position>[];
  readonly placements: readonly Dated<Placement>[];
}

const initialState: Person = {
  employeeNumber: null,
  name: null,
  email: null,
  isErased: false,
  hires: [],
  employed: [],
  positions: [],
  placements: [],
};

/** Of facts of one day: a hire gives way to a departure, and that to a rehire; what a hire says gives way to a change. */
export const RANK = {
  PersonHired: 0,
  PersonTerminated: 1,
  PersonRehired: 2,
  RoleChanged: 1,
  PersonTransferred: 1,
} as const;

interface PositionFields {
  jobTitle: string;
  /** Looked up in the mapping at the door when the sender does not name it. */
  role?: string;
  mapping?: MappedBy | null;
}

interface PlacementFields {
  orgUnit: string;
  manager?: string;
}

export interface PersonCommandData {
  HirePerson: { person: string; employeeNumber: string; name?: PersonalName; email?: string } & PositionFields &
    PlacementFields;
  RehirePerson: { person: string } & PositionFields & PlacementFields;
  /** A promotion may come with a new place. */
  ChangeRole: { person: string } & PositionFields & Partial<PlacementFields>;
  TransferPerson: { person: string } & PlacementFields;
  TerminatePerson: { person: string };
  CorrectProfile: { person: string; name?: PersonalName; email?: string };
  /** Only the eraser sends it, when an erasure was approved. */
  ErasePerson: { person: string; erasure: number };
}

export type PersonCommand = {
  [Type in keyof PersonCommandData]: Command<Type, PersonCommandData[Type]>;
}[keyof PersonCommandData];

/** The id of the person whom an employer knows by this number. */
export function personIdOf(tenant: string, employeeNumber: string): string {
  return derivedId('person', tenant, employeeNumber);
}

/** Facts are recorded in whatever order they come: what is missing before them may still arrive. */
function decide(command: PersonCommand, state: Person): readonly PersonEvent[] {
  const effectiveOn = dayOf(command.at);
  const { person } = command.data;
  const effective = { person, effectiveOn };
  switch (command.type) {
    case 'HirePerson': {
      const { employeeNumber } = command.data;
      const { name = null, email = null } = state.isErased ? {} : command.data;
      const position = positionOf(command.data);
      const placement = placementOf(person, command.data);
      if (state.hires.includes(effectiveOn)) {
        if (hasJoined(state, effectiveOn, position, placement)) return [];
        throw new DomainError(
          'person-already-hired',
          `Person ${person} was hired on that day already, with other facts.`,
        );
      }
      if (state.hires.some((on) => on < effectiveOn)) return rehire(effective, position, placement, state);
      return [{ type: 'PersonHired', data: { ...effective, employeeNumber, name, email, ...position, ...placement } }];
    }
    case 'RehirePerson':
      return rehire(effective, positionOf(command.data), placementOf(person, command.data), state);
    case 'ChangeRole': {
      const { orgUnit, manager } = command.data;
      const position = positionOf(command.data);
      const changed: PersonEvent[] = [];
      if (!hasSaid(state.positions, effectiveOn, RANK.RoleChanged, titleOf(position))) {
        const previousRole = datedOn(state.positions, effectiveOn)?.value.role ?? '';
        changed.push({ type: 'RoleChanged', data: { ...effective, ...position, previousRole } });
      }
      return orgUnit === undefined
        ? changed
        : [...changed, ...transfer(effective, placementOf(person, { orgUnit, ...(manager && { manager }) }), state)];
    }
    case 'TransferPerson':
      return transfer(effective, placementOf(person, command.data), state);
    case 'TerminatePerson':
      if (hasSaid(state.employed, effectiveOn, RANK.PersonTerminated, false)) return [];
      if (datedOn(state.employed, effectiveOn)?.value === false) return [];
      return [{ type: 'PersonTerminated', data: effective }];
    case 'CorrectProfile': {
      if (state.isErased) return [];
      const { name = state.name, email = state.email } = command.data;
      if (isDeepStrictEqual([name, email], [state.name, state.email])) return [];
      return [{ type: 'ProfileCorrected', data: { person, name, email } }];
    }
    case 'ErasePerson':
      return state.isErased ? [] : [{ type: 'PersonErased', data: { person, erasure: command.data.erasure } }];
    default:
      return unreachable(command);
  }
}

interface Effective {
  readonly person: string;
  readonly effectiveOn: string;
}

function rehire(
  effective: Effective,
  position: Position & { mapping: MappedBy | null },
  placement: Placement,
  state: Person,
): readonly PersonEvent[] {
  const { effectiveOn } = effective;
  if (
    hasSaid(state.employed, effectiveOn, RANK.PersonRehired, true) &&
    hasJoined(state, effectiveOn, position, placement)
  )
    return [];
  return [{ type: 'PersonRehired', data: { ...effective, ...position, ...placement } }];
}

function hasJoined({ positions, placements }: Person, day: string, position: Position, placement: Placement): boolean {
  return hasSaid(positions, day, 0, titleOf(position)) && hasSaid(placements, day, 0, placement);
}

function transfer(effective: Effective, placement: Placement, state: Person): readonly PersonEvent[] {
  if (hasSaid(state.placements, effective.effectiveOn, RANK.PersonTransferred, placement)) return [];
  return [{ type: 'PersonTransferred', data: { ...effective, ...placement } }];
}

function positionOf({ jobTitle, role, mapping = null }: PositionFields): Position & { mapping: MappedBy | null } {
  return { jobTitle, role: role!, mapping };
}

function titleOf({ jobTitle, role }: Position): Position {
  return { jobTitle, role };
}

function placementOf(
  person: string,
  { orgUnit, manager = null }: { orgUnit: string; manager?: string | null },
): Placement {
  if (manager !== person) return { orgUnit, manager };
  throw new DomainError('own-manager', `Person ${person} cannot be their own manager.`);
}

/** Whether this is known of that day, or something that outranks it. */
function hasSaid<V>(history: readonly Dated<V>[], day: string, rank: number, value: V): boolean {
  const known = history.find(({ on }) => on === day);
  return known !== undefined && (known.rank > rank || isDeepStrictEqual(known.value, value));
}

function evolve(state: Person, event: PersonEvent): Person {
  switch (event.type) {
    case 'PersonHired': {
      const { employeeNumber, name, email } = event.data;
      const hires = [...new Set([...state.hires, event.data.effectiveOn])];
      return { ...joined(state, event), employeeNumber, hires, name: state.name ?? name, email: state.email ?? email };
    }
    case 'PersonRehired':
      return joined(state, event);
    case 'RoleChanged': {
      const { effectiveOn: on, jobTitle, role } = event.data;
      return {
        ...state,
        positions: withDated(state.positions, { on, rank: RANK.RoleChanged, value: { jobTitle, role } }),
      };
    }
    case 'PersonTransferred': {
      const { effectiveOn: on, orgUnit, manager } = event.data;
      const placement = { on, rank: RANK.PersonTransferred, value: { orgUnit, manager } };
      return { ...state, placements: withDated(state.placements, placement) };
    }
    case 'PersonTerminated': {
      const left = { on: event.data.effectiveOn, rank: RANK.PersonTerminated, value: false };
      return { ...state, employed: withDated(state.employed, left) };
    }
    case 'ProfileCorrected':
      return { ...state, name: event.data.name, email: event.data.email };
    case 'PersonErased':
      return { ...state, name: null, email: null, isErased: true };
    default:
      return unreachable(event);
  }
}

function joined(
  state: Person,
  { type, data }: Extract<PersonEvent, { type: 'PersonHired' | 'PersonRehired' }>,
): Person {
  const { effectiveOn: on, jobTitle, role, orgUnit, manager } = data;
  return {
    ...state,
    employed: withDated(state.employed, { on, rank: RANK[type], value: true }),
    positions: withDated(state.positions, { on, rank: 0, value: { jobTitle, role } }),
    placements: withDated(state.placements, { on, rank: 0, value: { orgUnit, manager } }),
  };
}

export const personDecider: Decider<Person, PersonCommand, PersonEvent> = {
  category: 'person',
  initialState,
  id: ({ data }) => data.person,
  decide,
  evolve,
  opens: ['HirePerson'],
};
