import type { Db } from 'mongodb';
import type { Document, Projection } from '../../packages/eventsourcing';
import type { PersonalName, PersonEvent } from '../../packages/people/person.events';
import { type Answer, findOne, findPage, given, type Page } from './collection';

export interface PersonDocument extends Document {
  readonly employeeNumber: string;
  readonly name: PersonalName | null;
  readonly email: string | null;
  readonly status: 'active' | 'terminated';
  readonly jobTitle: string;
  readonly role: string;
  readonly orgUnit: string;
  readonly manager: string | null;
  readonly hiredOn: string;
  readonly terminatedOn: string | null;
}

/** Who works here, in which role, for whom. */
export const people: Projection<PersonDocument, PersonEvent> = {
  name: 'people',
  version: 1,
  handles: ['PersonHired', 'RoleChanged', 'PersonTransferred', 'PersonTerminated'],
  key: ({ data }) => data.person,
  evolve: (document, event) => {
    if (event.type === 'PersonHired') {
      const { person, employeeNumber, name, email, jobTitle, role, orgUnit, manager, effectiveOn } = event.data;
      return {
        _id: person,
        tenant: event.metadata.tenant,
        employeeNumber,
        name,
        email,
        status: 'active',
        jobTitle,
        role,
        orgUnit,
        manager,
        hiredOn: effectiveOn,
        terminatedOn: null,
      };
    }
    if (!document) throw new Error(`${event.type} for a person who was never hired`);
    switch (event.type) {
      case 'RoleChanged':
        return { ...document, jobTitle: event.data.jobTitle, role: event.data.role };
      case 'PersonTransferred':
        return { ...document, orgUnit: event.data.orgUnit, manager: event.data.manager };
      case 'PersonTerminated':
        return { ...document, status: 'terminated', terminatedOn: event.data.effectiveOn };
    }
  },
  indexes: [{ key: { tenant: 1, manager: 1 } }, { key: { tenant: 1, employeeNumber: 1 } }],
};

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
