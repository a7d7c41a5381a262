import { type Dated, dayOf, withDated, type Workflow } from '../eventsourcing';
import { RANK } from './person.decider';
import type { PersonEvent } from './person.events';
import type { JobTitleMapped, JobTitleUnmapped } from './title-mapping.events';

type Remapped = JobTitleMapped | JobTitleUnmapped;
type Held = Exclude<PersonEvent, { type: 'PersonTransferred' | 'ProfileCorrected' | 'PersonErased' }>;

/** What somebody holds, when the mapping said so and not the sender, and whether they work here. */
interface Holder {
  readonly person: string;
  readonly employed: readonly Dated<boolean>[];
  readonly positions: readonly Dated<{ jobTitle: string; role: string; isMapped: boolean }>[];
}

/** Whoever holds a title that stands for another role from now on takes on that role. */
export const whenJobTitleMappedThenChangeRole: Workflow<null, Holder, Held | Remapped> = {
  name: 'title-mapping',
  version: 1,
  handles: ['PersonHired', 'PersonRehired', 'RoleChanged', 'PersonTerminated', 'JobTitleMapped', 'JobTitleUnmapped'],
  key: ({ data }) => ('person' in data ? data.person : undefined),
  initialShared: null,
  initialOwn: { person: '', employed: [], positions: [] },
  evolveShared: () => null,
  evolveOwn: (own, event) => {
    if (event.type === 'JobTitleMapped' || event.type === 'JobTitleUnmapped') return own;
    const { type, data } = event;
    const { person, effectiveOn: on } = data;
    if (type === 'PersonTerminated') {
      return { ...own, person, employed: withDated(own.employed, { on, rank: RANK[type], value: false }) };
    }
    const value = { jobTitle: data.jobTitle, role: data.role, isMapped: data.mapping !== null };
    const rank = type === 'RoleChanged' ? RANK[type] : 0;
    const positions = withDated(own.positions, { on, rank, value });
    if (type === 'RoleChanged') return { ...own, person, positions };
    return { person, positions, employed: withDated(own.employed, { on, rank: RANK[type], value: true }) };
  },
  reactions: [
    {
      name: 'when-job-title-mapped-then-change-role',
      on: ['JobTitleMapped', 'JobTitleUnmapped'],
      react: (event, _before, { own }) => {
        if (event.type !== 'JobTitleMapped' && event.type !== 'JobTitleUnmapped') return [];
        const held = own.positions.at(-1);
        const { jobTitle, role } = event.data;
        if (!held?.value.isMapped || held.value.jobTitle !== jobTitle || held.value.role === role) return [];
        if (!own.employed.at(-1)?.value) return [];
        // Not before what they hold, so that it is what they hold then.
        const { occurredAt } = event.metadata;
        const at = dayOf(occurredAt) < held.on ? `${held.on}T00:00:00.000Z` : occurredAt;
        return [{ type: 'ChangeRole', at, data: { person: own.person, jobTitle } }];
      },
    },
  ],
};
