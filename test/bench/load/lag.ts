import { setTimeout as delay } from 'node:timers/promises';
import type { SplitStack } from '../../split/split-stack';
import type { Status } from '../../../apps/reports/status.controller';
import { type JobResult, runJob } from './job';
import { named, type Part } from './part';
import { startProduction } from './production';
import { settled } from './settled';
import { percentile } from './statistics';

const TENANT = 'bench';
const RATES = [500, 1_000];
const CONNECTIONS = 64;
const WARM_UP_SECONDS = 10;
/** Until then whoever sends the commands is starting, on the same processors: the rate is not steady yet. */
const STARTING_SECONDS = 3;
/** Often enough beside a floor of 2 s. Each look asks all stores: ten a second took a tenth of a core in the audit service alone. */
const POLL_MS = 200;

const SINKS = ['mongo', 'clickhouse'] as const;

type Sink = (typeof SINKS)[number];
/** When a sink was first seen at a position, in milliseconds since 1970. */
type Sighting = readonly [position: number, at: number];

/** How long after its answer a command is visible in each sink, at a steady rate. Seen through `/v1/status`, as a client would. */
export const lag: Part = async ({ quick, report }) => {
  const seconds = quick ? 10 : 30;
  const stack = await startProduction({ services: ['assessment', 'projector', 'audit'] });
  try {
    const token = await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] });
    const job = { kind: 'http-commands', url: stack.url('assessment'), token, connections: CONNECTIONS } as const;
    await runJob({ ...job, seconds: WARM_UP_SECONDS });
    const figures: Record<string, number> = {};
    for (const rate of RATES) {
      await settled(stack, TENANT);
      const watch = new SinkWatch(stack);
      const watching = watch.run();
      const steadyFrom = Date.now() + STARTING_SECONDS * 1000;
      const result = await runJob({ ...job, rate, seconds: STARTING_SECONDS + seconds });
      watch.stopAt(Number(await settled(stack, TENANT)));
      await watching;
      figures[`achieved${rate}`] = result.timing.perSecond;
      for (const sink of SINKS) {
        const lags = lagsOf(result, watch.seen[sink], steadyFrom);
        const times = { p50Ms: percentile(lags, 0.5), p95Ms: percentile(lags, 0.95), p99Ms: percentile(lags, 0.99) };
        Object.assign(figures, named(`${sink}${rate}`, times));
        report(`${rate}/s, ${sink}: p95 ${Math.round(times.p95Ms)} ms`);
      }
    }
    const floors = RATES.flatMap((rate) =>
      SINKS.map((sink) => ({ figure: `${sink}${rate}P95Ms`, atMost: 2_000, aim: 1_000 })),
    );
    return { name: 'lag', figures, floors };
  } finally {
    await stack.stop();
  }
};

/** Looks again and again how far each sink has come. */
class SinkWatch {
  readonly seen: Readonly<Record<Sink, Sighting[]>> = { mongo: [], clickhouse: [] };
  private last = Infinity;

  constructor(private readonly stack: SplitStack) {}

  /** It stops when it has seen each sink at this position. */
  stopAt(position: number): void {
    this.last = position;
  }

  async run(): Promise<void> {
    const audit = await this.stack.as('admin', 'audit', TENANT);
    while (SINKS.some((sink) => this.reached(sink) < this.last)) {
      const { consumers } = await audit.read<Status>('/v1/status');
      for (const sink of SINKS) {
        const position = Number(consumers[sink]);
        if (position > this.reached(sink)) this.seen[sink].push([position, Date.now()]);
      }
      await delay(POLL_MS);
    }
  }

  private reached(sink: Sink): number {
    return this.seen[sink].at(-1)?.[0] ?? -1;
  }
}

/** Of what was answered from then on, in rising order. */
function lagsOf({ answered }: JobResult, seen: readonly Sighting[], steadyFrom: number): Float64Array {
  const inOrder = answered.filter(([, at]) => at >= steadyFrom).sort(([a], [b]) => a - b);
  let next = 0;
  return Float64Array.from(inOrder, ([position, at]) => {
    while (seen[next]![0] < position) next++;
    return Math.max(0, seen[next]![1] - at);
  }).sort();
}
