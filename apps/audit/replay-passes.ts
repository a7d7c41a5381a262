import type { RecordedEvent } from '../../packages/eventsourcing';
import { FoldedState, type IdRange, type OnPoison } from './folded-state';
import type { Selection } from './scope';

/** Documents in memory at once. Where there are more, the log is read again for the rest of them. */
const DOCUMENTS_AT_ONCE = 400_000;

/** One range of ids, folded over all events. */
export interface Pass extends IdRange {
  /** As of the date and as known at the point that was asked for. */
  readonly then: FoldedState;
  /** As everything has it now; the same when nothing was asked for. */
  readonly now: FoldedState;
  /** Position up to which the log was read. */
  readonly upTo: bigint;
}

/** Which events count for `then`; all when undefined. */
export type Includes = ((event: RecordedEvent) => boolean) | undefined;

/**
 * Folds the events of a selection into documents, in ascending ranges of ids that fit into memory: one pass over the events for each. How
 * much memory that takes does not depend on how long the log is.
 * @param onFirst sees every batch of the first pass
 */
export async function* foldInPasses(
  selection: Selection,
  upTo: bigint,
  includes: Includes,
  onFirst: (events: readonly RecordedEvent[]) => Promise<void> | void,
  onPoison: OnPoison,
  atOnce = DOCUMENTS_AT_ONCE,
): AsyncGenerator<Pass> {
  for (let from: string | undefined = ''; from !== undefined;) {
    const { projections, keeps } = selection;
    const now = new FoldedState(projections, onPoison, keeps, from);
    const then = includes ? new FoldedState(projections, onPoison, keeps, from) : now;
    const states = includes ? [then, now] : [now];
    let to: string | undefined;
    for await (const events of selection.read(upTo)) {
      if (from === '') await onFirst(events);
      for (const event of events) {
        if (!selection.counts(event)) continue;
        now.apply(event);
        if (includes?.(event)) then.apply(event);
      }
      if (states.reduce((size, state) => size + state.size, 0) <= atOnce) continue;
      const middle = now.middle();
      if (middle === undefined) continue;
      to = middle;
      for (const state of states) state.narrow(middle);
    }
    yield { from, to, then, now, upTo };
    from = to;
  }
}
