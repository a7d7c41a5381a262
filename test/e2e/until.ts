import { setTimeout as delay } from 'node:timers/promises';

/** Rests for each time that asking took, up to so many milliseconds: what is waited for needs the same processors. */
const RESTS = { each: 2, longest: 500 };

/**
 * Resolves when the condition holds, which is asked every `interval` milliseconds, and less often where the answer takes long.
 * @throws Error when it does not within `patience`
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patience = 200_000,
  interval = 20,
): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    const askedAt = Date.now();
    if (await condition()) return;
    if (Date.now() > deadline) throw new Error(`still not so after ${patience} ms: ${String(condition)}`);
    await delay(Math.max(interval, Math.min(RESTS.each * (Date.now() - askedAt), RESTS.longest)));
  }
}
