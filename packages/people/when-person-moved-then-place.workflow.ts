import { isDeepStrictEqual } from 'node:util';
import { type CommandRequest, type Dated, type Recorded, withDated, type Workflow } from '../eventsourcing';
import { RANK } from './person.decider';
import type { PersonEvent } from './person.events';
import type { Claim } from './reporting-lines.events';

type Moved = Exclude<PersonEvent, { type: 'RoleChanged' | 'ProfileCorrected' | 'PersonErased' }>;

interface ManagerFact extends Dated<string | null> {
  readonly cause: string;
}

/** What the HRIS said of whom somebody reports to, and of whether they work here. */
interface Placements {
  readonly managers: readonly ManagerFact[];
  readonly employed: readonly Dated<boolean>[];
}

/** Keeps the tree of reporting lines in step with what the HRIS says of each person. */
export const whenPersonMovedThenPlace: Workflow<null, Placements, Moved> = {
  name: 'reporting-lines',
  version: 1,
  handles: ['PersonHired', 'PersonRehired', 'PersonTransferred', 'PersonTerminated'],
  key: ({ data }) => data.person,
  initialShared: null,
  initialOwn: { managers: [], employed: [] },
  evolveShared: () => null,
  evolveOwn: ({ managers, employed }, { id: cause, type, data }) => {
    const { effectiveOn: on } = data;
    switch (type) {
      case 'PersonHired':
      case 'PersonRehired':
        return {
          managers: withDated(managers, { on, rank: 0, value: data.manager, cause }),
          employed: withDated(employed, { on, rank: RANK[type], value: true }),
        };
      case 'PersonTransferred':
        return { managers: withDated(managers, { on, rank: RANK[type], value: data.manager, cause }), employed };
      case 'PersonTerminated':
        return { managers, employed: withDated(employed, { on, rank: RANK[type], value: false }) };
    }
  },
  reactions: [
    {
      name: 'when-person-moved-then-place',
      on: ['PersonHired', 'PersonRehired', 'PersonTransferred', 'PersonTerminated'],
      react: (event, { own: before }, { own: after }) => [
        ...(hasLeft(before) && !hasLeft(after) ? [request('RejoinReportingLine', event, {})] : []),
        ...(isDeepStrictEqual(claimsOf(before), claimsOf(after))
          ? []
          : [request('PlaceInReportingLine', event, { claims: claimsOf(after) })]),
        ...(!hasLeft(before) && hasLeft(after) ? [request('LeaveReportingLine', event, {})] : []),
      ],
    },
  ],
};

function request(type: string, { id: cause, data, metadata }: Recorded<Moved>, more: object): CommandRequest {
  const rest = type === 'PlaceInReportingLine' ? more : { cause };
  return { type, at: metadata.occurredAt, data: { person: data.person, ...rest } };
}

/** A manager who is named again is no news. */
function claimsOf({ managers }: Placements): readonly Claim[] {
  return managers
    .filter(({ value }, index) => index === 0 || managers[index - 1]!.value !== value)
    .map(({ on: from, value: manager, cause }) => ({ from, manager, cause }));
}

function hasLeft({ employed }: Placements): boolean {
  return employed.at(-1)?.value === false;
}
