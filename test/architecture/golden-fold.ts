import { isDeepStrictEqual } from 'node:util';
import { type AnyDecider, type DomainEvent, foldEvents, ProjectionFold } from '../../packages/eventsourcing';
import { recorded } from '../../packages/eventsourcing/testing';
import { mongoProjections } from '../../projections';

/**
 * Folds the event after this history through the decider and every projection that handles it.
 * @throws Error when one of them refuses it, or is the same after it as before
 */
export function foldAfter(history: readonly DomainEvent[], event: DomainEvent, decider: AnyDecider): void {
  const before = foldEvents(decider, history) as unknown;
  refuseUnchanged(before, decider.evolve(before, event), `the decider of ${decider.category}`);
  const [last, ...earlier] = [event, ...history.toReversed()].map((each, age) =>
    recorded(each, { category: decider.category, id: 'golden', position: 1 + history.length - age }),
  );
  for (const projection of mongoProjections.filter(({ handles }) => handles.includes(event.type))) {
    const fold = new ProjectionFold(projection);
    for (const each of earlier.toReversed()) fold.apply(each);
    const documents = new Map(fold.documents);
    fold.apply(last!);
    refuseUnchanged(documents, fold.documents, `the read model ${projection.name}`);
  }
}

function refuseUnchanged(before: unknown, after: unknown, what: string): void {
  if (isDeepStrictEqual(before, after)) throw new Error(`${what} did not change`);
}
