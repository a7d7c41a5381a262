import { abortableDelay } from './abortable-delay';
import { asked } from './bell';
import type { Log } from './log';

const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/**
 * Takes a step again and again until the signal aborts. It gives for how many milliseconds to rest after it, unless something is asked for
 * meanwhile. The pause after one that fails grows with each.
 */
export async function repeatedly(step: () => Promise<number>, log: Log, signal: AbortSignal): Promise<void> {
  for (let pause = SHORTEST_PAUSE; !signal.aborted;) {
    const heard = asked.heard;
    try {
      const rest = await step();
      pause = SHORTEST_PAUSE;
      await asked.rest(rest, heard, signal);
    } catch (error) {
      pause = Math.min(pause * 2, LONGEST_PAUSE);
      log.error({ err: error, retryInMs: pause }, 'rebuilding stopped; trying again');
      await abortableDelay(pause, signal);
    }
  }
}
