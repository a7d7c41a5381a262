import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AllStreamSubscription,
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  type ResolvedEvent,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { abortableDelay } from '../abortable-delay';
import { BatchWindow } from './batch-window';
import { connect, isBroken, isTransient, unavailable } from './connection';
import type { Batch, StoredSubscribeOptions } from './stored';
import { FellBehindError, type Running, Tail } from './tail';

const CHECKPOINT_INTERVAL = 32;

/** What a reader makes of the events of a batch. */
type Read<E> = (resolved: readonly ResolvedEvent[]) => readonly E[] | Promise<readonly E[]>;

/**
 * Subscriptions to `$all` that resume by themselves. Each has a client of its own, that is a connection: HTTP/2 lets a connection have 64 KiB
 * under way (RFC 9113, 6.9.2), which readers that share one would share for each round trip to a server that is busy writing. Those that
 * want the whole log and have reached its end go on with one subscription for all of them.
 */
export class Subscriptions {
  private readonly clients = new Set<EventStoreDBClient>();
  private readonly tail = new Tail((after, onCheckpoint) => this.follow(after, onCheckpoint));

  constructor(private readonly url: string) {}

  /** @throws EventStoreUnavailableError after `tries` failures without an event in between */
  async *subscribe<E>(options: StoredSubscribeOptions, read: Read<E>): AsyncIterable<Batch<E>> {
    let after = options.after;
    let client = this.open();
    try {
      for (let failures = 0; !options.signal?.aborted;) {
        try {
          for await (const batch of subscribeOnce(client, this.tail, { ...options, after }, read)) {
            failures = 0;
            after = batch.position;
            yield batch;
          }
        } catch (error) {
          if (options.signal?.aborted) return;
          if (error instanceof FellBehindError) continue;
          if (!isTransient(error)) throw error;
          if (isBroken(error)) {
            this.end(client);
            client = this.open();
          }
          if (++failures === options.tries) throw unavailable(error);
          await abortableDelay(Math.min(50 * 2 ** failures, 2_000), options.signal);
        }
      }
    } finally {
      this.end(client);
    }
  }

  /** Ends every subscription. */
  close(): void {
    for (const client of this.clients) this.end(client);
  }

  private follow(after: bigint, onCheckpoint: (position: bigint) => void): Running {
    const client = this.open();
    const subscription = client.subscribeToAll({
      fromPosition: startingPoint(after),
      filter: excludeSystemEvents(checkpointsTo(onCheckpoint)),
    });
    const close = (): void => this.end(client);
    return { subscription, end: () => void unsubscribe(subscription).then(close, close) };
  }

  private open(): EventStoreDBClient {
    const client = connect(this.url);
    this.clients.add(client);
    return client;
  }

  private end(client: EventStoreDBClient): void {
    this.clients.delete(client);
    void client.dispose();
  }
}

async function* subscribeOnce<E>(
  client: EventStoreDBClient,
  tail: Tail,
  options: StoredSubscribeOptions,
  read: Read<E>,
): AsyncIterable<Batch<E>> {
  const { after, streamPrefix, types, maxBatch = 1_000, lingerMs = 0, signal } = options;
  const prefixes = options.streamPrefixes ?? (streamPrefix ? [streamPrefix] : []);
  const window = new BatchWindow(maxBatch);
  const filterOptions = checkpointsTo((reached) => window.checkpoint(reached));
  const subscription = client.subscribeToAll({
    fromPosition: startingPoint(after),
    filter: types
      ? eventTypeFilter({ ...filterOptions, regex: `^(${types.join('|')})$` })
      : prefixes.length > 0
        ? streamNameFilter({ ...filterOptions, prefixes: [...prefixes] })
        : excludeSystemEvents(filterOptions),
  });
  window.attach(subscription);
  const stop = (): void => window.end();
  signal?.addEventListener('abort', stop, { once: true });
  let position = after ?? 0n;
  const mayJoin = !types && prefixes.length === 0;
  let [reachedEnd, joined] = [false, false];
  try {
    for (;;) {
      await window.arrival();
      if (signal?.aborted) return;
      await nextTurn(); // lets what came in the same read from the socket join the batch
      if (lingerMs > 0 && window.caughtUp && window.length < maxBatch) await abortableDelay(lingerMs, signal);
      const { resolved, checkpoint, caughtUp } = window.take();
      position = checkpoint ?? resolved[resolved.length - 1]?.event?.position?.commit ?? position;
      // Whoever reads the log once ends here at its end; the others stay.
      if (mayJoin && reachedEnd && caughtUp && !joined && position > 0n) {
        joined = tail.join(window, position);
        if (joined) await unsubscribe(subscription);
      }
      yield { events: await read(resolved), position, caughtUp };
      reachedEnd ||= caughtUp;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    if (joined) tail.leave(window);
    else await unsubscribe(subscription);
  }
}

function startingPoint(after: bigint | undefined): typeof START | { commit: bigint; prepare: bigint } {
  return after === undefined ? START : { commit: after, prepare: after };
}

function checkpointsTo(onCheckpoint: (position: bigint) => void) {
  return {
    checkpointInterval: CHECKPOINT_INTERVAL,
    checkpointReached: (_: unknown, { commit }: { commit: bigint }) => Promise.resolve(onCheckpoint(commit)),
  };
}

async function unsubscribe(subscription: AllStreamSubscription): Promise<void> {
  subscription.on('error', () => undefined); // a late error of a cancelled call has nobody left to tell
  await subscription.unsubscribe();
}
