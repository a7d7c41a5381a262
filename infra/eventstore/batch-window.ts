import type { AllStreamSubscription, ResolvedEvent } from '@eventstore/db-client';
import { EventStoreUnavailableError } from '../../packages/eventsourcing';

/** What a window gets its events from. */
export interface Source {
  /** Events that have arrived and were not pushed yet. */
  readonly readableLength: number;
  pause(): void;
  resume(): void;
}

/** Collects what a source delivers while the consumer is busy, and holds the source back when it is full. */
export class BatchWindow {
  private events: ResolvedEvent[] = [];
  private lastCheckpoint: bigint | undefined;
  private reported = false;
  private ended = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  private source!: Source;
  caughtUp = false;

  constructor(private readonly capacity: number) {}

  get length(): number {
    return this.events.length;
  }

  /** Takes what the subscription delivers, until another source is followed. */
  attach(subscription: AllStreamSubscription): void {
    this.follow(subscription);
    const isFollowed = (): boolean => this.source === subscription;
    const end = (error: Error): void => {
      if (isFollowed()) this.end(error);
    };
    subscription.on('data', (resolved: ResolvedEvent) => {
      if (isFollowed()) this.push(resolved);
    });
    subscription.on('caughtUp', () => {
      if (!isFollowed()) return;
      this.caughtUp = true;
      this.wake?.();
    });
    subscription.on('error', end);
    subscription.on('close', () => end(new EventStoreUnavailableError('the subscription was closed')));
    subscription.on('end', () => end(new EventStoreUnavailableError('the subscription ended')));
  }

  /** From here on everything comes from this source, which pushes it. */
  follow(source: Source): void {
    this.source = source;
  }

  push(resolved: ResolvedEvent): void {
    this.events.push(resolved);
    if (this.events.length >= this.capacity) this.source.pause();
    this.wake?.();
  }

  checkpoint(position: bigint): void {
    this.lastCheckpoint = position;
    this.wake?.();
  }

  end(failure?: Error): void {
    this.failure ??= failure;
    this.ended = true;
    this.wake?.();
  }

  /** Resolves when there is something to take. @throws what the subscription failed with, once everything is taken. */
  async arrival(): Promise<void> {
    while (!this.hasNews()) {
      if (this.failure) throw this.failure;
      if (this.ended) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  take(): { resolved: ResolvedEvent[]; checkpoint: bigint | undefined; caughtUp: boolean } {
    const resolved = this.events;
    this.events = [];
    // The client tells of checkpoints and of the end while earlier events still wait in its buffer.
    const drained = this.drained();
    const checkpoint = drained ? this.lastCheckpoint : undefined;
    const last = resolved[resolved.length - 1]?.event?.position?.commit;
    if (drained) this.lastCheckpoint = undefined;
    if (drained && this.caughtUp) this.reported = true;
    this.source.resume();
    return {
      resolved,
      checkpoint: checkpoint !== undefined && (last === undefined || checkpoint > last) ? checkpoint : undefined,
      caughtUp: drained && this.caughtUp,
    };
  }

  private hasNews(): boolean {
    if (this.events.length > 0) return true;
    return this.drained() && (this.lastCheckpoint !== undefined || (this.caughtUp && !this.reported));
  }

  private drained(): boolean {
    return this.source.readableLength === 0;
  }
}
