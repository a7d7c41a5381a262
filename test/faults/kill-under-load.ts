import { setTimeout as delay } from 'node:timers/promises';
import type { ChildEngine } from '../../infra/embedded/child';

/** 50 in CI, see `.ci/run`. */
export const KILLS = Number(process.env.ATTEST_TEST_ENGINE_KILLS ?? 5);

/**
 * Kills an engine while `writers` write to it: a different moment each round, the same ones in each run.
 * @param moment milliseconds, from the first to so many later
 * @param isEnough whether enough was acknowledged for the kill to tell something; on a slow machine it takes longer
 * @throws what a writer was refused with
 */
export async function killUnderLoad(
  engine: ChildEngine,
  round: number,
  moment: { readonly first: number; readonly spread: number },
  writers: readonly Promise<void>[],
  isEnough: () => boolean,
): Promise<void> {
  let isOver = false;
  const load = Promise.all(writers).finally(() => (isOver = true));
  load.catch(() => undefined); // awaited below
  await delay(moment.first + ((round * 37) % moment.spread));
  while (!isOver && !isEnough()) await delay(5);
  await engine.kill();
  await load;
}
