import type { RecordedEvent } from '../../packages/eventsourcing';
import { logOf, recorded } from '../../packages/eventsourcing/testing';
import { explain } from './why';

const by = (sub: string) => ({ actor: { sub, roles: ['admin'], via: 'http' } });
const log: RecordedEvent[] = [
  recorded(
    { type: 'CoursePublished', data: { course: 'safety', version: 1 } },
    { category: 'course', id: 'safety', position: 1, metadata: by('ann') },
  ),
  recorded(
    { type: 'AssignmentRulePublished', data: { rule: 'everyone', version: 1 } },
    { category: 'rule', id: 'everyone', position: 2, metadata: by('bob') },
  ),
  recorded(
    { type: 'CoursePublished', data: { course: 'safety', version: 2 } },
    { category: 'course', id: 'safety', position: 3, metadata: by('cleo') },
  ),
];
const store = logOf(log);

it.each([
  ['course', 'safety', 'cleo', 'event-3'],
  ['rule', 'everyone', 'bob', 'event-2'],
])('a %s is as it is because of whoever gave it its newest version', async (category, id, actor, event) => {
  const { subject, origin, steps } = (await explain(store, 'acme', id))!;
  expect(subject).toEqual({ id, stream: `acme.${category}-${id}`, event });
  expect(origin).toMatchObject({ actor, via: 'http' });
  expect(steps.map((step) => step.id)).toEqual([event]);
});

it('what is not there is not explained', async () => expect(await explain(store, 'acme', 'nothing')).toBeUndefined());
