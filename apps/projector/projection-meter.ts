import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { metrics } from '../shared/metrics';

/** Seconds over which a rate is taken. */
const WINDOW = 10;

const total = new Counter({
  name: 'attest_projection_events_total',
  help: 'Events that this process has applied to a projection, the warehouse or the workflows',
  labelNames: ['projection'],
  registers: [metrics],
});

/** Counts what this process applies: for `/metrics`, and as rates for the others. */
@Injectable()
export class ProjectionMeter {
  /** By projection: events of each of the last seconds. */
  private readonly recent = new Map<string, Map<number, number>>();

  count(projection: string, events: number): void {
    if (events === 0) return;
    total.inc({ projection }, events);
    const seconds = this.recent.get(projection) ?? new Map<number, number>();
    const now = Math.floor(performance.now() / 1_000);
    seconds.set(now, (seconds.get(now) ?? 0) + events);
    for (const second of seconds.keys()) if (second < now - WINDOW) seconds.delete(second);
    this.recent.set(projection, seconds);
  }

  /** Events per second over the last whole seconds, by projection. */
  rates(): Record<string, number> {
    const now = Math.floor(performance.now() / 1_000);
    const rateOf = (seconds: Map<number, number>): number =>
      [...seconds].reduce((sum, [at, events]) => (at < now && at >= now - WINDOW ? sum + events : sum), 0) / WINDOW;
    return Object.fromEntries([...this.recent].map(([projection, seconds]) => [projection, rateOf(seconds)]));
  }
}
