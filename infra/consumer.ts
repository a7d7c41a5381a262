import { type EventBatch, type EventStore, type SubscribeOptions } from '../packages/eventsourcing';
import { abortableDelay } from './abortable-delay';
import type { Log } from './log';

/** A reader of the whole log that remembers how far it came. `apply` may see a batch again and must not mind. */
export interface Consumer {
  readonly name: string;
  readonly options?: Pick<SubscribeOptions, 'maxBatch' | 'lingerMs' | 'types'>;
  /** The position last applied, undefined before the first. */
  position(): Promise<bigint | undefined>;
  apply(batch: EventBatch): Promise<void>;
}

const RETRY = { first: 100, longest: 5_000 };

/** The consumer no longer may: another process may have taken over. */
class NotCurrentError extends Error {
  override name = 'NotCurrentError';
}

/**
 * Feeds a consumer from the log until the signal aborts. Whatever fails outside the consumer's own care (its store is
 * away, the log is away) is logged and tried again from the last position applied; nothing is skipped.
 * @param isCurrent whether the consumer may apply what it has now, for those of which one runs at a time
 */
export async function runConsumer(
  consumer: Consumer,
  store: EventStore,
  log: Log,
  signal: AbortSignal,
  isCurrent: () => boolean = () => true,
): Promise<void> {
  for (let wait = RETRY.first; !signal.aborted; wait = Math.min(wait * 2, RETRY.longest)) {
    try {
      const after = await consumer.position();
      for await (const batch of store.subscribeToAll({ ...consumer.options, after, signal })) {
        if (!isCurrent()) throw new NotCurrentError(`the lease of ${consumer.name} ran out`);
        await consumer.apply(batch);
        wait = RETRY.first;
      }
    } catch (error) {
      if (signal.aborted) return;
      log.error({ consumer: consumer.name, err: error, retryInMs: wait }, 'consumer stopped; trying again');
      await abortableDelay(wait, signal);
    }
  }
}
