import { setTimeout as delay } from 'node:timers/promises';
import type { SplitStack } from './split-stack';
import { positionOf } from './three-stores';
import { Trial } from './trial';

export type Store = 'mongodb' | 'clickhouse';

/** How one store was away. */
export interface Outage {
  readonly store: Store;
  /** Commands acknowledged since it went away, asked a few times until it came back: its lag, since it cannot move. */
  readonly lag: readonly number[];
  /** Where it stood when it came back, and where the log ended. */
  readonly atReturn: { readonly store: bigint; readonly log: bigint };
}

/** How often the lag is asked for. */
const SAMPLES = 6;

/**
 * Takes ClickHouse away for `seconds`, and MongoDB for as long, beginning a quarter of that later, while commands go on. Resolves when
 * both have caught up by themselves and agree with the log.
 */
export async function overlappingOutages(
  stack: SplitStack,
  seconds: number,
): Promise<{ outages: readonly Outage[]; retried: number }> {
  const trial = await Trial.begin(stack, { senders: 2, rest: 300 });
  await trial.resume();
  await trial.goOn(10);
  const outages = await Promise.all([
    outage(stack, trial, 'clickhouse', seconds),
    delay(seconds * 250).then(() => outage(stack, trial, 'mongodb', seconds)),
  ]);
  await trial.goOn(10);
  await trial.verifyPositions();
  await trial.verifyContent();
  return { outages, retried: trial.load.retried };
}

async function outage(stack: SplitStack, { load }: Trial, store: Store, seconds: number): Promise<Outage> {
  await stack.process(store).hold();
  const before = load.acknowledged;
  const lag: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await delay((seconds * 1000) / SAMPLES);
    lag.push(load.acknowledged - before);
  }
  await stack.process(store).release();
  const [atStore, atLog] = [await positionOf(stack, store), await positionOf(stack, 'eventstore')];
  return { store, lag, atReturn: { store: atStore, log: atLog } };
}
