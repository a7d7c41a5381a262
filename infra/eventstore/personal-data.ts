import {
  concealFields,
  type EventCatalog,
  hasPersonal,
  type NewEvent,
  openFields,
  type RecordedEvent,
  sealFields,
} from '../../packages/eventsourcing';
import type { PersonKeys, PersonOf } from './person-keys';

/** Encrypts the personal fields of events on their way into the log, and opens them on their way out, in one place. */
export class PersonalData {
  constructor(
    private readonly catalog: EventCatalog,
    private readonly keys: PersonKeys | undefined,
  ) {}

  /** The data as it is stored. Nothing personal is left of somebody whose key was destroyed. */
  async seal(tenant: string, { id, type, data }: Pick<NewEvent, 'id' | 'type' | 'data'>): Promise<object> {
    if (!this.keys) throw new Error(`${type} holds personal data, and there is no master key to encrypt it with`);
    const { person } = data as { person: string };
    const fields = this.catalog.personal(type);
    const key = await this.keys.findOrMake({ tenant, person });
    return key ? sealFields(data, fields, key, { tenant, person, id, type }) : concealFields(data, fields);
  }

  /** The events as the domain knows them. Keys that are not known yet are read side by side, once per person. */
  async open(events: readonly RecordedEvent[]): Promise<readonly RecordedEvent[]> {
    const personal = events.filter(({ type, data }) => hasPersonal(data, this.catalog.personal(type)));
    if (personal.length === 0) return events;
    const keyOf = await this.keys?.findAll(personal.map(personOf));
    return events.map((event) => {
      const { id, type, data } = event;
      const fields = this.catalog.personal(type);
      if (fields.length === 0) return event;
      const person = personOf(event);
      const opened = openFields(data, fields, keyOf?.(person), { ...person, id, type });
      return { ...event, data: opened, sealed: concealFields(data, fields) };
    });
  }
}

function personOf({ data, metadata }: RecordedEvent): PersonOf {
  return { tenant: metadata.tenant, person: (data as { person: string }).person };
}
