import type { DomainEvent, RecordedEvent } from '../../packages/eventsourcing';
import { logOf, recorded } from '../../packages/eventsourcing/testing';
import type { RetentionRule } from '../../packages/privacy';
import { dueOf } from './due';

const said = { version: 1, reason: 'policy', by: 'carol' };
const rules: readonly RetentionRule[] = [
  { category: 'person', keepFor: 'P2Y', from: 'departure', ...said },
  { category: 'enrollment', keepFor: 'P3Y', from: 'last-event', ...said },
];
const TODAY = '2026-06-01';

/** A log of these, each with the day on which it happened. */
function told(...events: readonly (readonly [category: string, type: string, on: string, data?: object])[]) {
  return events.map(([category, type, on, more], at): RecordedEvent => {
    const data = { person: 'ann', effectiveOn: on, ...more };
    const id = category === 'enrollment' ? 'e-1' : data.person;
    const event: DomainEvent = { type, data };
    return recorded(event, { category, id, position: at + 1, occurredAt: `${on}T00:00:00.000Z` });
  });
}

const hired = ['person', 'PersonHired', '2015-01-01'] as const;
const left = ['person', 'PersonTerminated', '2020-03-31'] as const;
const rehired = ['person', 'PersonRehired', '2021-01-01'] as const;
const enrolled = ['enrollment', 'LearnerEnrolled', '2020-02-01'] as const;
const certified = ['enrollment', 'LearnerCertified', '2020-02-20'] as const;

const due = (events: readonly RecordedEvent[], asOf = TODAY) => dueOf(logOf(events), 'acme', rules, asOf);

it('lists who has left long enough ago, with the categories that have events about them', async () => {
  const { items, kept } = await due(told(hired, left, enrolled));
  expect(items).toEqual([
    {
      person: 'ann',
      dueOn: '2023-02-01',
      grounds: [
        expect.objectContaining({ category: 'enrollment', events: 1, since: '2020-02-01', until: '2023-02-01' }),
        expect.objectContaining({ category: 'person', events: 2, since: '2020-03-31', until: '2022-03-31' }),
      ],
      holds: {},
      erasure: null,
    },
  ]);
  expect(kept).toEqual({});
});

it('is told from the day on, also when that lies ahead', async () => {
  const log = told(hired, left, enrolled);
  expect((await due(log, '2023-01-31')).kept).toEqual({ 'not due yet': 1 });
  expect((await due(log, '2023-02-01')).items).toHaveLength(1);
});

it.each([
  ['has not left', [hired]],
  ['has not left', [hired, left, rehired]],
  ['has not left', [hired, rehired, left]],
  ['no rule for certification', [hired, left, enrolled, certified]],
  ['no rule for attempt', [hired, left, ['attempt', 'AttemptRecorded', '2019-01-01']]],
] as const)('who %s is kept: %j', async (keptBy, events) =>
  expect(await due(told(...events))).toMatchObject({ items: [], kept: { [keptBy]: 1 } }),
);

it('lists what stops an erasure, and one that was asked for', async () => {
  const held = ['privacy', 'LegalHoldSet', '2026-01-01', { matter: 'case-1', reason: 'litigation' }] as const;
  const [item] = (await due(told(hired, left, held))).items;
  expect(item).toMatchObject({ holds: { 'case-1': 'litigation' }, erasure: null });
});

it('names whose erasure was asked for as due, and who are so no more', async () => {
  const asked = { erasure: 1, reason: 'due', by: 'carol', retention: [] };
  const requested = ['privacy', 'ErasureRequested', '2026-01-01', asked] as const;
  expect((await due(told(hired, left, requested))).items[0]!.erasure).toMatchObject({ status: 'requested' });
  expect(await due(told(hired, left, requested, rehired))).toMatchObject({ items: [], lapsed: ['ann'] });
});

it('has nothing to say of who is erased, and of who never had a name here', async () => {
  const erased = ['person', 'PersonErased', '2026-01-01'] as const;
  const nobody = { items: [], lapsed: [], kept: {} };
  expect(await due(told(hired, left, erased, rehired, left))).toMatchObject(nobody);
  expect(await due(told(enrolled))).toMatchObject(nobody);
});
