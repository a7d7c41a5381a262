import type { Db } from 'mongodb';
import type { Document, Projection } from '../../packages/eventsourcing';
import type { PersonalName, PersonEvent } from '../../packages/people/person.events';
import type { ReportingLineChanged } from '../../packages/people/reporting-lines.events';
import { type Answer, findOne, findPage, given, type Page } from './collection';
import { HISTORY_EVENTS, historyAfter, NO_HISTORY, type PersonHistory } from './person-history';

export interface PersonDocument extends Document {
  readonly employeeNumber: string | null;
  readonly name: PersonalName | null;
  readonly email: string | null;
  /** `pending`: something is known of them, but not yet that they were hired. */
  readonly status: 'pending' | 'active' | 'terminated';
  readonly jobTitle: string | null;
  readonly role: string | null;
  readonly orgUnit: string | null;
  /** Whom they report to, as the tree of reporting lines has it. */
  readonly manager: string | null;
  readonly hiredOn: string | null;
  readonly terminatedOn: string | null;
  readonly history: PersonHistory;
}

/** Who works here, in which role, for whom. */
export const people: Projection<PersonDocument, PersonEvent | ReportingLineChanged> = {
  name: 'people',
  version: 2,
  handles: [...HISTORY_EVENTS, 'ProfileCorrected', 'PersonErased', 'ReportingLineChanged'],
  key: ({ type, data }) => (type === 'ReportingLineChanged' ? data.people : data.person),
  evolve: (document, event, key) => {
    const before = document ?? newPerson(key, event.metadata.tenant);
    if (event.type === 'ReportingLineChanged') return { ...before, manager: event.data.manager };
    const person = { ...before, ...standing(historyAfter(before.history, event)) };
    switch (event.type) {
      case 'PersonHired': {
        const { employeeNumber, name, email } = event.data;
        return { ...person, employeeNumber, name: before.name ?? name, email: before.email ?? email };
      }
      case 'ProfileCorrected':
        return { ...person, name: event.data.name, email: event.data.email };
      case 'PersonErased':
        return { ...person, name: null, email: null };
      default:
        return person;
    }
  },
  indexes: [{ key: { tenant: 1, manager: 1 } }, { key: { tenant: 1, employeeNumber: 1 } }],
};

function newPerson(_id: string, tenant: string): PersonDocument {
  return { _id, tenant, employeeNumber: null, name: null, email: null, manager: null, ...standing(NO_HISTORY) };
}

function standing(history: PersonHistory) {
  const employed = history.employment.at(-1);
  const position = history.positions.at(-1)?.value;
  return {
    status: employed ? (employed.value ? 'active' : 'terminated') : 'pending',
    jobTitle: position?.jobTitle ?? null,
    role: position?.role ?? null,
    orgUnit: history.orgUnits.at(-1)?.value ?? null,
    hiredOn: history.employment.find(({ value }) => value)?.on ?? null,
    terminatedOn: employed?.value === false ? employed.on : null,
    history,
  } as const;
}

export function findPerson(db: Db, tenant: string, person: string): Promise<Answer<PersonDocument> | undefined> {
  return findOne(db, people, tenant, person);
}

export interface PeopleFilter {
  readonly employeeNumber?: string | undefined;
  readonly manager?: string | undefined;
}

export function findPeople(
  db: Db,
  tenant: string,
  filter: PeopleFilter,
  page: Page,
): Promise<Answer<PersonDocument>[]> {
  return findPage(db, people, given({ tenant, ...filter }), page);
}
