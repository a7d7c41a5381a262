import type { AllStreamSubscription, ResolvedEvent } from '@eventstore/db-client';
import { EventStoreUnavailableError } from '../../packages/eventsourcing';
import type { BatchWindow } from './batch-window';

/** Events that are kept for those who are about to join. */
const KEPT = 1_000;

/** A reader cannot keep up with the tail: it goes on by itself from where it is. */
export class FellBehindError extends Error {
  override name = 'FellBehindError';
}

/** A subscription to the whole log that somebody can end. */
export interface Running {
  readonly subscription: AllStreamSubscription;
  readonly end: () => void;
}

/** Starts one behind a position, and tells of its checkpoints. */
type Start = (after: bigint, onCheckpoint: (position: bigint) => void) => Running;

/**
 * The end of the log, received and decoded once for all readers of this process that have come so far. Nobody holds it back: who cannot
 * keep up is let go with a `FellBehindError`, and reads on by a subscription of its own until it is here again.
 */
export class Tail {
  /** By reader, the position up to which it had the log when it joined. */
  private readonly readers = new Map<BatchWindow, bigint>();
  /** What has arrived behind the position `from`, all of it. */
  private recent: ResolvedEvent[] = [];
  private from = 0n;
  private running: Running | undefined;

  constructor(private readonly start: Start) {}

  /**
   * Feeds a window everything behind a position from now on. The first to join starts the subscription.
   * @returns false, and does nothing, when what came right behind the position is not kept any more
   */
  join(window: BatchWindow, after: bigint): boolean {
    const { subscription } = (this.running ??= this.begin(after));
    if (after < this.from) return false;
    this.readers.set(window, after);
    window.follow({
      get readableLength() {
        return subscription.readableLength;
      },
      pause: () => this.letGo(window),
      resume: () => undefined,
    });
    for (const resolved of this.recent) this.give(window, resolved);
    return true;
  }

  /** The last to leave ends the subscription. */
  leave(window: BatchWindow): void {
    this.readers.delete(window);
    if (this.readers.size === 0) this.stop();
  }

  private begin(after: bigint): Running {
    this.from = after;
    const running = this.start(after, (position) => {
      for (const [window, joinedAt] of this.readers) if (position > joinedAt) window.checkpoint(position);
    });
    const { subscription } = running;
    const fail = (error: Error): void => {
      if (this.running === running) this.fail(error);
    };
    subscription.on('data', (resolved: ResolvedEvent) => {
      if (this.running === running) this.receive(resolved);
    });
    subscription.on('error', fail);
    subscription.on('close', () => fail(new EventStoreUnavailableError('the subscription was closed')));
    subscription.on('end', () => fail(new EventStoreUnavailableError('the subscription ended')));
    return running;
  }

  private receive(resolved: ResolvedEvent): void {
    this.recent.push(resolved);
    if (this.recent.length === 2 * KEPT) this.from = positionOf(this.recent.splice(0, KEPT).at(-1)!);
    for (const window of this.readers.keys()) this.give(window, resolved);
  }

  private give(window: BatchWindow, resolved: ResolvedEvent): void {
    const joinedAt = this.readers.get(window);
    if (joinedAt !== undefined && positionOf(resolved) > joinedAt) window.push(resolved);
  }

  private letGo(window: BatchWindow): void {
    this.leave(window);
    window.caughtUp = false;
    window.end(new FellBehindError('more has arrived than a batch may hold'));
  }

  /** Each reader tries again by itself. */
  private fail(error: Error): void {
    const readers = [...this.readers.keys()];
    this.readers.clear();
    this.stop();
    for (const window of readers) window.end(error);
  }

  private stop(): void {
    this.running?.end();
    this.running = undefined;
    this.recent = [];
  }
}

function positionOf({ event }: ResolvedEvent): bigint {
  return event!.position!.commit;
}
