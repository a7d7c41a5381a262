import { type Command, type Decider, derivedId, DomainError, unreachable } from '../eventsourcing';
import type { PersonalName, PersonEvent } from './person.events';

export type Person =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'active' | 'terminated';
      readonly employeeNumber: string;
      readonly jobTitle: string;
      readonly role: string;
      readonly orgUnit: string;
      readonly manager: string | null;
    };

const initialState: Person = { status: 'unknown' };

export interface PersonCommandData {
  HirePerson: {
    person: string;
    employeeNumber: string;
    name?: PersonalName;
    email?: string;
    jobTitle: string;
    role: string;
    orgUnit: string;
    manager?: string;
  };
  ChangeRole: { person: string; jobTitle: string; role: string };
  TransferPerson: { person: string; orgUnit: string; manager?: string };
  TerminatePerson: { person: string };
}

export type PersonCommand = {
  [Type in keyof PersonCommandData]: Command<Type, PersonCommandData[Type]>;
}[keyof PersonCommandData];

/** The id of the person whom an employer knows by this number. */
export function personIdOf(tenant: string, employeeNumber: string): string {
  return derivedId('person', tenant, employeeNumber);
}

function decide(command: PersonCommand, state: Person): readonly PersonEvent[] {
  const effectiveOn = command.at.slice(0, 10);
  const { person } = command.data;
  if (command.type === 'HirePerson') {
    const { employeeNumber, name = null, email = null, jobTitle, role, orgUnit, manager = null } = command.data;
    if (state.status === 'terminated') {
      throw new DomainError('person-terminated', `Person ${person} has left and cannot be hired under the same id.`);
    }
    if (state.status === 'active') {
      if (state.employeeNumber === employeeNumber && state.role === role && state.orgUnit === orgUnit) return [];
      throw new DomainError('person-already-hired', `Person ${person} is already hired, with other facts.`);
    }
    if (manager === person) throw new DomainError('own-manager', `Person ${person} cannot be their own manager.`);
    return [
      {
        type: 'PersonHired',
        data: { person, employeeNumber, name, email, jobTitle, role, orgUnit, manager, effectiveOn },
      },
    ];
  }

  if (state.status === 'unknown') throw new DomainError('person-unknown', `Person ${person} was never hired.`);
  if (state.status === 'terminated') {
    if (command.type === 'TerminatePerson') return [];
    throw new DomainError('person-terminated', `Person ${person} has left.`);
  }
  switch (command.type) {
    case 'ChangeRole': {
      const { jobTitle, role } = command.data;
      if (state.jobTitle === jobTitle && state.role === role) return [];
      return [{ type: 'RoleChanged', data: { person, jobTitle, role, previousRole: state.role, effectiveOn } }];
    }
    case 'TransferPerson': {
      const { orgUnit, manager = null } = command.data;
      if (manager === person) throw new DomainError('own-manager', `Person ${person} cannot be their own manager.`);
      if (state.orgUnit === orgUnit && state.manager === manager) return [];
      return [{ type: 'PersonTransferred', data: { person, orgUnit, manager, effectiveOn } }];
    }
    case 'TerminatePerson':
      return [{ type: 'PersonTerminated', data: { person, effectiveOn } }];
    default:
      return unreachable(command);
  }
}

function evolve(state: Person, event: PersonEvent): Person {
  if (event.type === 'PersonHired') {
    const { employeeNumber, jobTitle, role, orgUnit, manager } = event.data;
    return { status: 'active', employeeNumber, jobTitle, role, orgUnit, manager };
  }
  if (state.status === 'unknown') return state;
  switch (event.type) {
    case 'RoleChanged':
      return { ...state, jobTitle: event.data.jobTitle, role: event.data.role };
    case 'PersonTransferred':
      return { ...state, orgUnit: event.data.orgUnit, manager: event.data.manager };
    case 'PersonTerminated':
      return { ...state, status: 'terminated' };
    default:
      return unreachable(event);
  }
}

export const personDecider: Decider<Person, PersonCommand, PersonEvent> = {
  category: 'person',
  initialState,
  id: ({ data }) => data.person,
  decide,
  evolve,
  opens: ['HirePerson'],
};
