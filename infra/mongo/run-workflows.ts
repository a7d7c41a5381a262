import type { EventStore } from '../../packages/eventsourcing';
import { abortableDelay } from '../abortable-delay';
import { type Consumer, runConsumer } from '../consumer';
import type { Log } from '../log';
import type { WorkflowRedrive } from './workflow-redrive';

/** How often it looks whether something is to be driven again, in milliseconds. */
const LOOK = 500;

/** Feeds the workflows until the signal aborts, and lets them stand still while parked events are driven again. */
export async function runWorkflows(
  workflows: Consumer,
  redrive: WorkflowRedrive,
  store: EventStore,
  log: Log,
  { signal, isCurrent }: { readonly signal: AbortSignal; readonly isCurrent?: () => boolean },
): Promise<void> {
  while (!signal.aborted) {
    const asked = new AbortController();
    const ended = AbortSignal.any([signal, asked.signal]);
    const consuming = runConsumer(workflows, store, log, ended, isCurrent);
    try {
      while (!ended.aborted) {
        await abortableDelay(LOOK, ended);
        if (!ended.aborted && (await redrive.isAsked())) asked.abort();
      }
      await consuming;
      if (!signal.aborted) await redrive.run();
    } catch (error) {
      log.error({ err: error, retryInMs: LOOK }, 'parked events of workflows were not driven again; trying again');
      asked.abort();
      await consuming;
      await abortableDelay(LOOK, signal);
    }
  }
}
