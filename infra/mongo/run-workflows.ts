import type { EventStore } from '../../packages/eventsourcing';
import { abortableDelay } from '../abortable-delay';
import { asked, LOOK } from '../bell';
import { type Consumer, runConsumer } from '../consumer';
import type { Log } from '../log';
import type { WorkflowRedrive } from './workflow-redrive';

/** Milliseconds after which it tries again what failed. */
const PAUSE = 500;

/** Feeds the workflows until the signal aborts, and lets them stand still while parked events are driven again. */
export async function runWorkflows(
  workflows: Consumer,
  redrive: WorkflowRedrive,
  store: EventStore,
  log: Log,
  { signal, isCurrent }: { readonly signal: AbortSignal; readonly isCurrent?: () => boolean },
): Promise<void> {
  while (!signal.aborted) {
    const redriving = new AbortController();
    const ended = AbortSignal.any([signal, redriving.signal]);
    const consuming = runConsumer(workflows, store, log, ended, isCurrent);
    try {
      while (!ended.aborted) {
        const heard = asked.heard;
        if (await redrive.isAsked()) redriving.abort();
        else await asked.rest(LOOK, heard, ended);
      }
      await consuming;
      if (!signal.aborted) await redrive.run();
    } catch (error) {
      log.error({ err: error, retryInMs: PAUSE }, 'parked events of workflows were not driven again; trying again');
      redriving.abort();
      await consuming;
      await abortableDelay(PAUSE, signal);
    }
  }
}
