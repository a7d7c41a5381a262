import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the condition holds, which is asked every `interval` milliseconds. @throws Error when it does not within `patience` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patience = 200_000,
  interval = 20,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${patience} ms: ${String(condition)}`);
    await delay(interval);
  }
}
