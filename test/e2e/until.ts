import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL = 20;

/** Resolves when the condition holds. @throws Error when it does not within this many milliseconds */
export async function until(condition: () => boolean | Promise<boolean>, patience = 200_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${patience} ms: ${String(condition)}`);
    await delay(INTERVAL);
  }
}
