import { setTimeout as delay } from 'node:timers/promises';

/** Waits so many milliseconds, or until the signal aborts; never rejects. */
export async function abortableDelay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal: signal as AbortSignal, ref: true });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
