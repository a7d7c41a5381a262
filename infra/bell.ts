import { abortableDelay } from './abortable-delay';

/**
 * Wakes those of this process who look now and then whether a store asks something of them. It spares them to look often: what
 * another process writes they find when they look the next time.
 */
export class Bell {
  /** How often it was rung; `rest` takes it from before the look, so that nothing is missed that is written meanwhile. */
  rung = 0;
  private readonly resting = new Set<AbortController>();

  ring(): void {
    this.rung++;
    for (const rest of this.resting) rest.abort();
  }

  /** Resolves after so many milliseconds, at once when it was rung since `heard`, or when the signal aborts. */
  async rest(milliseconds: number, heard: number, signal: AbortSignal): Promise<void> {
    if (this.rung !== heard) return;
    const woken = new AbortController();
    this.resting.add(woken);
    await abortableDelay(milliseconds, AbortSignal.any([signal, woken.signal]));
    this.resting.delete(woken);
  }
}

/** Rung when this process has asked for something to be built or driven anew, or has taken a step of it. */
export const asked = new Bell();
/** How often those who listen to `asked` look without being rung, in milliseconds. */
export const LOOK = 2_000;
