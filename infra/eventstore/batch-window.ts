import type { AllStreamSubscription, ResolvedEvent } from '@eventstore/db-client';
import { EventStoreUnavailableError } from '../../packages/eventsourcing';

/** Collects what a subscription delivers while the consumer is busy, and holds the subscription back when it is full. */
export class BatchWindow {
  private events: ResolvedEvent[] = [];
  private lastCheckpoint: bigint | undefined;
  private reported = false;
  private ended = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  private subscription!: AllStreamSubscription;
  caughtUp = false;

  constructor(private readonly capacity: number) {}

  get length(): number {
    return this.events.length;
  }

  attach(subscription: AllStreamSubscription): void {
    this.subscription = subscription;
    subscription.on('data', (resolved: ResolvedEvent) => {
      this.events.push(resolved);
      if (this.events.length >= this.capacity) subscription.pause();
      this.wake?.();
    });
    subscription.on('caughtUp', () => {
      this.caughtUp = true;
      this.wake?.();
    });
    subscription.on('error', (error: Error) => this.end(error));
    subscription.on('close', () => this.end(new EventStoreUnavailableError('the subscription was closed')));
    subscription.on('end', () => this.end(new EventStoreUnavailableError('the subscription ended')));
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
    this.subscription.resume();
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
    return this.subscription.readableLength === 0;
  }
}
