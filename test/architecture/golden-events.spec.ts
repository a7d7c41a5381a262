import { eventCatalog } from '../../apps/shared/event-catalog';
import type { AnyDecider, DomainEvent } from '../../packages/eventsourcing';
import { type ContextDecider, loadDeciders } from './context-deciders';
import { foldAfter } from './golden-fold';
import { goldenFile, goldenFilesIn, lifted, readGolden } from './golden-event';

const versions = eventCatalog.types.flatMap((type) =>
  Array.from({ length: eventCatalog.current(type) }, (_, before) => ({ type, schema: before + 1 })),
);

let deciders: readonly ContextDecider[];

beforeAll(async () => {
  deciders = await loadDeciders();
});

/** @throws Error that says what to do when no decider, or more than one, folds the event */
function deciderOf(type: string): ContextDecider {
  const [found, ...more] = deciders.filter(({ events }) => events.includes(type));
  if (found && more.length === 0) return found;
  throw new Error(`Put ${type} into the union of the one decider that folds it, in its context's *.events.ts.`);
}

/** The shortest history first: nothing, then each other event of the decider. */
function histories(type: string): readonly (readonly DomainEvent[])[] {
  const { folder, events } = deciderOf(type);
  const others = events.filter((other) => other !== type);
  return [[], ...others.map((other) => [lifted(readGolden(folder, other, eventCatalog.current(other)))])];
}

/** Folds the event after the first history that it can follow. @throws Error with the reason under each when there is none */
function foldAfterSomeHistory(event: DomainEvent, decider: AnyDecider): void {
  const reasons: string[] = [];
  for (const history of histories(event.type)) {
    try {
      return foldAfter(history, event, decider);
    } catch (error) {
      reasons.push(`after ${history[0]?.type ?? 'nothing'}: ${(error as Error).message}`);
    }
  }
  throw new Error(`${event.type} has no effect.\n${reasons.join('\n')}`);
}

it.each(versions)('keeps $type of version $schema as it was written', ({ type, schema }) => {
  const { folder } = deciderOf(type);
  expect(readGolden(folder, type, schema)).toEqual({ type, schema, data: expect.any(Object) as object });
});

it.each(versions)('folds $type of version $schema through its decider and its read models', ({ type, schema }) => {
  const { folder, decider } = deciderOf(type);
  foldAfterSomeHistory(lifted(readGolden(folder, type, schema)), decider);
});

it('opens what was sealed, and reads what was stored in clear before, as the same', () => {
  const [clear, sealed] = [2, 3].map((schema) => readGolden('packages/people', 'PersonHired', schema));
  expect(lifted(sealed!).data).toEqual(clear!.data);
  expect(JSON.stringify(sealed)).not.toMatch(/Georgi|Facello/i);
});

it('keeps no golden file of an event that no context defines', () => {
  const expected = versions.map(({ type, schema }) => goldenFile(deciderOf(type).folder, type, schema));
  const folders = new Set(deciders.map(({ folder }) => folder));
  expect([...folders].flatMap(goldenFilesIn).sort()).toEqual(expected.sort());
});

it('says what to add for a missing golden file', () => {
  expect(() => readGolden('packages/people', 'PersonHired', 99)).toThrow(
    'Add packages/people/golden/PersonHired.v99.json: {"type": "PersonHired", "schema": 99, "data": {...}}',
  );
});

it('reports an event that changes nothing', () => {
  const { folder, decider } = deciderOf('PersonHired');
  const hired = lifted(readGolden(folder, 'PersonHired', 1));
  expect(() => foldAfter([hired], hired, decider)).toThrow('the decider of person did not change');
  expect(() => foldAfterSomeHistory({ ...hired, type: 'PersonTerminated', data: {} }, decider)).toThrow(
    'after PersonHired',
  );
});
