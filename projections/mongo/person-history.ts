import { type Dated, withDated } from '../../packages/eventsourcing';
import type { PersonEvent } from '../../packages/people/person.events';

/** What is known of a person from which day on; the last of each list holds now. */
export interface PersonHistory {
  /** Whether they work here. */
  readonly employment: readonly Dated<boolean>[];
  readonly positions: readonly Dated<{ readonly jobTitle: string; readonly role: string }>[];
  readonly orgUnits: readonly Dated<string>[];
}

export const NO_HISTORY: PersonHistory = { employment: [], positions: [], orgUnits: [] };

/** The events that tell of a person's history. */
export const HISTORY_EVENTS = [
  'PersonHired',
  'PersonRehired',
  'RoleChanged',
  'PersonTransferred',
  'PersonTerminated',
] as const satisfies readonly PersonEvent['type'][];

/** A fact takes its place by its day, whenever it arrives; ranks as `PersonEvent` says. */
export function historyAfter({ employment, positions, orgUnits }: PersonHistory, event: PersonEvent): PersonHistory {
  switch (event.type) {
    case 'PersonHired':
    case 'PersonRehired': {
      const { effectiveOn: on, jobTitle, role, orgUnit } = event.data;
      return {
        employment: withDated(employment, { on, rank: event.type === 'PersonHired' ? 0 : 2, value: true }),
        positions: withDated(positions, { on, rank: 0, value: { jobTitle, role } }),
        orgUnits: withDated(orgUnits, { on, rank: 0, value: orgUnit }),
      };
    }
    case 'RoleChanged': {
      const { effectiveOn: on, jobTitle, role } = event.data;
      return { employment, positions: withDated(positions, { on, rank: 1, value: { jobTitle, role } }), orgUnits };
    }
    case 'PersonTransferred': {
      const { effectiveOn: on, orgUnit } = event.data;
      return { employment, positions, orgUnits: withDated(orgUnits, { on, rank: 1, value: orgUnit }) };
    }
    case 'PersonTerminated':
      return {
        employment: withDated(employment, { on: event.data.effectiveOn, rank: 1, value: false }),
        positions,
        orgUnits,
      };
    case 'ProfileCorrected':
    case 'PersonErased':
      return { employment, positions, orgUnits };
  }
}
