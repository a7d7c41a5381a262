import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { abortableDelay } from '../../infra/abortable-delay';
import { LOG, SETTINGS } from '../../infra/engines.module';
import type { Log } from '../../infra/log';
import type { Settings } from '../../packages/config';
import { metrics } from '../shared/metrics';
import { Reconciliation } from './reconciliation';

const registers = [metrics];
const differences = new Gauge({
  name: 'attest_reconciliation_differences',
  help: 'What differed from the log in the last scheduled reconciliation, by collection and table; no value, no difference there',
  labelNames: ['place'],
  registers,
});
const agreed = new Gauge({
  name: 'attest_reconciliation_ok',
  help: '1 when all stores agreed in the last scheduled reconciliation, 0 when they did not',
  registers,
});
const endedAt = new Gauge({
  name: 'attest_reconciliation_timestamp_seconds',
  help: 'When the last scheduled reconciliation ended; 0 before the first',
  registers,
});
const took = new Gauge({
  name: 'attest_reconciliation_seconds',
  help: 'How long the last scheduled reconciliation took',
  registers,
});
const failures = new Counter({
  name: 'attest_reconciliation_failures_total',
  help: 'Scheduled reconciliations that came to no result',
  registers,
});

/** Compares all stores with the log from time to time, over all tenants, and tells `/metrics` what came of it. */
@Injectable()
export class ReconciliationSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly reconciliation: Reconciliation,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run(this.settings.reconcileSeconds * 1_000, this.stopping.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(interval: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await abortableDelay(interval, signal);
      if (signal.aborted) return;
      try {
        await this.reconcile();
      } catch (error) {
        failures.inc();
        this.log.error(
          { err: error },
          'the stores could not be compared with the log; the next time it is tried again',
        );
      }
    }
  }

  private async reconcile(): Promise<void> {
    const { ok, differing, places, milliseconds } = await this.reconciliation.run({});
    differences.reset();
    for (const [place, count] of Object.entries(places)) differences.set({ place }, count);
    agreed.set(ok ? 1 : 0);
    took.set(milliseconds / 1_000);
    endedAt.setToCurrentTime();
    if (!ok) this.log.error({ differing, places }, 'the stores differ from the log: see "attest audit reconcile"');
  }
}
