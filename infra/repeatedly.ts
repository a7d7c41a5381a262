import { abortableDelay } from './abortable-delay';
import type { Log } from './log';

const LONGEST_REST = 5_000;

/** Takes a step again and again until the signal aborts, with a rest in milliseconds in between, which grows while steps fail. */
export async function repeatedly(
  rest: number,
  step: () => Promise<void>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (let wait = rest; !signal.aborted;) {
    try {
      await step();
      wait = rest;
    } catch (error) {
      wait = Math.min(wait * 2, LONGEST_REST);
      log.error({ err: error, retryInMs: wait }, 'rebuilding stopped; trying again');
    }
    await abortableDelay(wait, signal);
  }
}
