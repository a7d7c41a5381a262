import { type CategoryRecord, describeGrounds, retained } from './retention';
import type { RetentionRule } from './retention.decider';
import type { RetentionCategory } from './retention.events';

const said = { reason: 'policy', by: 'carol' };
const rules: readonly RetentionRule[] = [
  { category: 'person', version: 1, keepFor: 'P1Y', from: 'departure', ...said },
  { category: 'attempt', version: 3, keepFor: 'P18M', from: 'last-event', ...said },
];
const leftOn = '2024-02-29';

function of(categories: Partial<Record<RetentionCategory, string>>) {
  const records = Object.entries(categories).map(
    ([category, lastOn]) =>
      [category as RetentionCategory, { events: 2, lastOn }] as [RetentionCategory, CategoryRecord],
  );
  return new Map(records);
}

it('a person is due when the last of the categories that have events about them is over', () => {
  const person = {
    category: 'person',
    events: 2,
    version: 1,
    keepFor: 'P1Y',
    from: 'departure',
    since: leftOn,
    until: '2025-02-28',
  };
  expect(retained({ leftOn, categories: of({ person: '2024-02-29' }) }, rules)).toEqual({
    dueOn: '2025-02-28',
    grounds: [person],
  });
  const attempt = {
    category: 'attempt',
    events: 2,
    version: 3,
    keepFor: 'P18M',
    from: 'last-event',
    since: '2023-12-31',
    until: '2025-06-30',
  };
  expect(retained({ leftOn, categories: of({ person: '2024-02-29', attempt: '2023-12-31' }) }, rules)).toEqual({
    dueOn: '2025-06-30',
    grounds: [attempt, person],
  });
});

it('a category without a rule is kept without end', () =>
  expect(retained({ leftOn, categories: of({ person: leftOn, enrollment: leftOn }) }, rules)).toEqual({
    keptBy: 'no rule for enrollment',
  }));

it('who has not left is not due', () =>
  expect(retained({ leftOn: null, categories: of({ person: leftOn }) }, rules)).toEqual({ keptBy: 'has not left' }));

it('the grounds can be read', () => {
  const found = retained({ leftOn, categories: of({ person: leftOn }) }, rules);
  expect('grounds' in found && describeGrounds(found.grounds)).toBe(
    'Retention is over: person P1Y from departure on 2024-02-29 until 2025-02-28 (rule version 1).',
  );
});
