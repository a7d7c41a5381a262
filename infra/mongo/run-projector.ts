import type { Db } from 'mongodb';
import type { AnyProjection, EventStore } from '../../packages/eventsourcing';
import { asked, LOOK } from '../bell';
import { runConsumer } from '../consumer';
import type { Log } from '../log';
import { MongoProjector, type ProjectorOptions } from './projector';
import { ReadModels } from './read-models';

export interface RunProjectorOptions extends ProjectorOptions {
  readonly signal: AbortSignal;
  readonly isCurrent?: () => boolean;
}

/** Feeds what is to be fed until the signal aborts, and begins again whenever that changes: another collection joins, or queries read another. */
export async function runProjector(
  db: Db,
  projections: readonly AnyProjection[],
  store: EventStore,
  log: Log,
  { signal, isCurrent, ...options }: RunProjectorOptions,
): Promise<void> {
  const readModels = options.readModels ?? new ReadModels(db, projections);
  while (!signal.aborted) {
    let heard = asked.heard;
    const planned = await planOf(readModels);
    const replanned = new AbortController();
    const ended = AbortSignal.any([signal, replanned.signal]);
    const projector = new MongoProjector(db, projections, { ...options, readModels });
    const consuming = runConsumer(projector, store, log, ended, isCurrent);
    while (!ended.aborted) {
      await asked.rest(LOOK, heard, ended);
      heard = asked.heard;
      const now = await planOf(readModels).catch((error: unknown) => {
        log.warn({ err: error }, 'what is to be fed could not be looked up; trying again');
        return planned;
      });
      if (now !== planned) replanned.abort();
    }
    await consuming;
  }
}

/** The collections that are to be fed. */
async function planOf(readModels: ReadModels): Promise<string> {
  const { live, joining } = await readModels.plan();
  return JSON.stringify([live, joining].map((targets) => targets.map(({ collection }) => collection)));
}
