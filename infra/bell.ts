import { abortableDelay } from './abortable-delay';

/** Wakes those of this process who look now and then whether a store asks something of them. It spares them to look often. */
export class Bell {
  /** How often it was heard; `rest` takes it from before the look, so that nothing is missed that is written meanwhile. */
  heard = 0;
  /** How often it was rung here, which other processes may be told. */
  rung = 0;
  private readonly resting = new Set<AbortController>();

  ring(): void {
    this.rung++;
    this.wake();
  }

  /** For what another process has rung for. */
  wake(): void {
    this.heard++;
    for (const rest of this.resting) rest.abort();
  }

  /** Resolves after so many milliseconds, at once when it was heard since `heard`, or when the signal aborts. */
  async rest(milliseconds: number, heard: number, signal: AbortSignal): Promise<void> {
    if (this.heard !== heard) return;
    const woken = new AbortController();
    this.resting.add(woken);
    await abortableDelay(milliseconds, AbortSignal.any([signal, woken.signal]));
    this.resting.delete(woken);
  }
}

/**
 * Rung when this process has asked for something to be built or driven anew, or has taken a step of it. Other processes are told with its
 * signs of life; see `Leases`.
 */
export const asked = new Bell();
/** Rung when this process has brought all partitions of the read models that are its own, or the warehouse, up to a later position. */
export const moved = { mongo: new Bell(), warehouse: new Bell() };
/** How often those who listen to `asked` look unasked, in milliseconds: for what a process wrote that ended before it told anybody. */
export const LOOK = 15_000;
