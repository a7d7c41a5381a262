import { logOf, recorded } from '../../packages/eventsourcing/testing';
import { replay, type ReplayOptions } from './replay';

const ON = '2026-06-01';
const COUNT = 40;

/** People who are enrolled, and some of whom complete; ids with other letters than ASCII among them. */
const events = Array.from({ length: COUNT }, (_, n) => {
  const person = `${n % 5 === 0 ? '\u{1F4DA}' : n % 7 === 0 ? '\uFF21' : 'p'}${(n * 37) % COUNT}`;
  const data = { enrollment: `e-${person}`, person, course: 'safety' };
  const at = { category: 'enrollment', id: data.enrollment, occurredAt: `2026-0${1 + (n % 5)}-01T00:00:00.000Z` };
  const due = { reason: { kind: 'manual' }, dueOn: null, ruleDueOn: null, recertification: null, effectiveOn: ON };
  const enrolled = recorded({ type: 'LearnerEnrolled', data: { ...data, ...due } }, { ...at, position: 2 * n + 1 });
  const completed = recorded(
    { type: 'EnrollmentCompleted', data: { ...data, result: null } },
    { ...at, position: 2 * n + 2 },
  );
  return n % 3 === 0 ? [enrolled, completed] : [enrolled];
}).flat();

const run = (options: Partial<ReplayOptions> = {}, store = logOf(events)) =>
  replay(store, { tenant: 'acme' }, ON, { timeline: 0, ...options });

it('reads the log once when the documents fit into memory', async () => {
  const store = logOf(events);
  const { documents } = await run({}, store);
  expect(documents).toMatchObject({ enrollments: COUNT, transcripts: COUNT });
  expect(store.reads).toBe(1);
});

it.each([7, 20, 50])('comes to the same with %d documents in memory at once, reading the log again', async (atOnce) => {
  const store = logOf(events);
  const largest: number[] = [];
  const onPass: ReplayOptions['onPass'] = ({ now }) => Promise.resolve(void largest.push(now.size));
  const { digest, documents, courseOutcomes, events: count } = await run({ atOnce, onPass }, store);
  const whole = await run();
  expect({ digest, documents, courseOutcomes, count }).toEqual({
    digest: whole.digest,
    documents: whole.documents,
    courseOutcomes: whole.courseOutcomes,
    count: whole.events,
  });
  expect(store.reads).toBe(largest.length);
  expect(store.reads).toBeGreaterThan(2);
  const all = Object.values(documents).reduce((sum, count) => sum + count, 0);
  expect(Math.max(...largest)).toBeLessThan(all / 2);
});

it('lists the same differences however many passes it takes', async () => {
  const known = { position: 30n };
  const one = await run({ known });
  const many = await run({ known, atOnce: 10 });
  expect(one.differences!.total).toBeGreaterThan(10);
  expect(many.differences!.total).toBe(one.differences!.total);
  const sorted = (list: typeof one.differences) => [...list!.listed].map((each) => JSON.stringify(each)).sort();
  expect(sorted(many.differences)).toEqual(sorted(one.differences));
  expect(many.digest).toBe(one.digest);
});

it('goes on where a read model cannot take an event, and says so once, however many passes it takes', async () => {
  const attempt = { attempt: 'nobody-recorded', person: 'p1', course: 'safety', assessment: 'quiz' };
  const grade = { raw: 50, min: 0, max: 100, passMark: 40, scaled: 0.5, passed: true };
  const where = { category: 'attempt', id: attempt.attempt, position: 2 * COUNT + 1 };
  const poison = recorded({ type: 'AttemptGraded', data: { ...attempt, grade } }, where);
  const sound = await run();
  for (const atOnce of [undefined, 10]) {
    const { parked, documents } = await run({ atOnce, known: { position: 1_000n } }, logOf([...events, poison]));
    expect(parked.total).toBeGreaterThan(0);
    expect(parked.listed).toHaveLength(parked.total);
    expect(parked.listed).toContainEqual({
      projection: 'attempts',
      position: String(where.position),
      stream: poison.stream,
      type: 'AttemptGraded',
      reason: expect.stringContaining('Error: ') as string,
    });
    expect(documents).toEqual(sound.documents);
  }
});

it('reads nothing of an empty log', async () => {
  const { events: count, position, documents } = await run({}, logOf([]));
  expect({ count, position }).toEqual({ count: 0, position: 0n });
  expect(Object.values(documents).every((documents) => documents === 0)).toBe(true);
});
