import { type RecordedEvent } from '../eventsourcing';
import { givenWorkflow, recorded } from '../eventsourcing/testing';
import type { PersonEvent } from './person.events';
import type { TitleMappingEvent } from './title-mapping.events';
import { whenJobTitleMappedThenChangeRole } from './when-job-title-mapped-then-change-role.workflow';
import { whenPersonMovedThenPlace } from './when-person-moved-then-place.workflow';

type Event = PersonEvent | TitleMappingEvent;

/** Events in the order of the log, each on the day that it says. */
function log(...events: Event[]): RecordedEvent<never>[] {
  return events.map((event, index) => {
    const day = (event.data as { effectiveOn?: string }).effectiveOn ?? '2026-03-01';
    const at = { category: 'x', id: '1', position: index + 1, occurredAt: `${day}T00:00:00.000Z` };
    return recorded(event, at) as RecordedEvent<never>;
  });
}

const [person, boss, other] = ['person', 'boss', 'other'] as const;
const position = { jobTitle: 'Engineer', role: 'engineer', mapping: { version: 0, mapped: false } };
const hired: PersonEvent = {
  type: 'PersonHired',
  data: {
    person,
    ...position,
    orgUnit: 'd005',
    manager: boss,
    employeeNumber: '1',
    name: null,
    email: null,
    effectiveOn: '2026-01-01',
  },
};
const moved = (manager: string | null, effectiveOn: string): PersonEvent => ({
  type: 'PersonTransferred',
  data: { person, orgUnit: 'd004', manager, effectiveOn },
});
const left: PersonEvent = { type: 'PersonTerminated', data: { person, effectiveOn: '2026-03-01' } };
const back: PersonEvent = {
  type: 'PersonRehired',
  data: { person, ...position, orgUnit: 'd005', manager: boss, effectiveOn: '2026-05-01' },
};

describe('when a person moved', () => {
  const commandsAfter = (...events: Event[]) =>
    givenWorkflow(whenPersonMovedThenPlace, log(...events) as never).commands.map(({ type, data }) => ({ type, ...data }));

  it('then they are placed, with all that was said before', () => {
    expect(commandsAfter(hired, moved(other, '2026-02-01'))).toEqual([
      {
        type: 'PlaceInReportingLine',
        person,
        claims: [
          { from: '2026-01-01', manager: boss, cause: 'event-1' },
          { from: '2026-02-01', manager: other, cause: 'event-2' },
        ],
      },
    ]);
  });

  it('then a fact that is late takes its place by its day', () => {
    expect(commandsAfter(hired, moved(other, '2026-03-01'), moved(null, '2026-02-01'))).toMatchObject([
      { claims: [{ manager: boss }, { from: '2026-02-01', manager: null }, { from: '2026-03-01', manager: other }] },
    ]);
  });

  it('then the same manager in another unit is no news', () => {
    expect(commandsAfter(hired, moved(boss, '2026-02-01'))).toEqual([]);
  });

  it('then whoever leaves leads nobody, and whoever comes back can again', () => {
    expect(commandsAfter(hired, left)).toEqual([{ type: 'LeaveReportingLine', person, cause: 'event-2' }]);
    expect(commandsAfter(hired, left, back)).toEqual([{ type: 'RejoinReportingLine', person, cause: 'event-3' }]);
    expect(commandsAfter(hired, back, left)).toEqual([]);
  });
}); // prettier-ignore

describe('when a job title is mapped', () => {
  const mapped: Event = { type: 'JobTitleMapped', data: { version: 1, jobTitle: 'Engineer', role: 'builder' } };
  const commandsAfter = (...events: Event[]) => givenWorkflow(whenJobTitleMappedThenChangeRole, log(...events) as never).commands;

  it('then whoever holds it takes on the role', () => {
    expect(commandsAfter(hired, mapped)).toMatchObject([
      { type: 'ChangeRole', at: '2026-03-01T00:00:00.000Z', data: { person, jobTitle: 'Engineer' } },
    ]);
  });

  it('then nobody does who left, holds another title, or whose sender named the role', () => {
    const named = { ...hired, data: { ...hired.data, mapping: null } } as PersonEvent;
    const retitled = { ...hired, data: { ...hired.data, jobTitle: 'Staff' } } as PersonEvent;
    expect(commandsAfter(hired, left, mapped)).toEqual([]);
    expect(commandsAfter(retitled, mapped)).toEqual([]);
    expect(commandsAfter(named, mapped)).toEqual([]);
  });

  it('then not before the day from which they hold it', () => {
    const future = { ...hired, data: { ...hired.data, effectiveOn: '2026-07-01' } } as PersonEvent;
    expect(commandsAfter(future, mapped)).toMatchObject([{ at: '2026-07-01T00:00:00.000Z' }]);
  });
}); // prettier-ignore
