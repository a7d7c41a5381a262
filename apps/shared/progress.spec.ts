import { logOf, recorded } from '../../packages/eventsourcing/testing';
import { type Progress, stepsOf, ToldReading } from './progress';

const events = Array.from({ length: 9 }, (_, at) =>
  recorded({ type: 'CoursePublished', data: {} }, { category: 'course', id: 'a', position: at + 1 }),
);

it('a log tells how far all of it is read, and what is done with it then', async () => {
  const told: Progress[] = [];
  const reading = new ToldReading(logOf(events, 3), (progress) => told.push(progress));
  await reading.head();
  for await (const batch of reading.subscribeToAll({})) if (batch.caughtUp) break;
  reading.turnsTo('comparing');
  expect(told.map(({ position, doing = '' }) => `${position}${doing}`)).toEqual(['3', '6', '9', '9comparing']);
  expect(new Set(told.map(({ head }) => head))).toEqual(new Set(['9']));
});

it('work gives what it told last, and its result as the last step', async () => {
  let end!: () => void;
  const steps = stepsOf(async (tell) => {
    tell({ position: '1', head: '9' });
    tell({ position: '2', head: '9' });
    await new Promise<void>((resolve) => (end = resolve));
    return 'done';
  });
  expect(await steps.next()).toMatchObject({ value: { progress: { position: '2' } } });
  end();
  expect(await steps.next()).toMatchObject({ value: { result: 'done' } });
  expect(await steps.next()).toMatchObject({ done: true });
});

it('work that fails ends its steps so', async () => {
  const steps = stepsOf(() => Promise.reject(new Error('the log is away')));
  await expect(steps.next()).rejects.toThrow('the log is away');
});
