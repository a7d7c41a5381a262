import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@clickhouse/client';
import { MongoClient } from 'mongodb';
import { Warehouse } from '../../../infra/clickhouse';
import { ReadModels } from '../../../infra/mongo';
import { mongoProjections } from '../../../projections';
import { reportSql } from '../../../projections/clickhouse';
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
/** Often enough beside a floor of 2 s, and seldom enough to cost those who are measured little. */
const POLL_MS = 200;

const SINKS = ['mongo', 'clickhouse'] as const;

type Sink = (typeof SINKS)[number];
/** The position up to which whoever queries a sink sees everything. */
type Looks = Readonly<Record<Sink, () => Promise<bigint>>>;
/** When a sink was first seen at a position, in milliseconds since 1970. */
type Sighting = readonly [position: number, at: number];

/**
 * How long after its answer a command is visible in each sink, at a steady rate. Seen in the stores themselves, where queries see how
 * far they are: to ask a service for it took up to a tenth of a core.
 */
export const lag: Part = async ({ quick, report }) => {
  const seconds = quick ? 10 : 30;
  const stack = await startProduction({ services: ['assessment', 'projector', 'audit'] });
  const mongo = new MongoClient(stack.url('mongodb'));
  const clickhouse = createClient({ url: stack.url('clickhouse') });
  const readModels = new ReadModels(mongo.db(), mongoProjections);
  const warehouse = new Warehouse(clickhouse, reportSql);
  const looks: Looks = { mongo: () => readModels.reached(), clickhouse: () => warehouse.position() };
  try {
    const token = await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] });
    const job = { kind: 'http-commands', url: stack.url('assessment'), token, connections: CONNECTIONS } as const;
    await runJob({ ...job, seconds: WARM_UP_SECONDS });
    const figures: Record<string, number> = {};
    for (const rate of RATES) {
      await settled(stack, TENANT);
      const watch = new SinkWatch(looks);
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
    await Promise.all([mongo.close(), clickhouse.close()]);
    await stack.stop();
  }
};

/** Looks again and again how far each sink has come. */
class SinkWatch {
  readonly seen: Readonly<Record<Sink, Sighting[]>> = { mongo: [], clickhouse: [] };
  private last = Infinity;

  constructor(private readonly looks: Looks) {}

  /** It stops when it has seen each sink at this position. */
  stopAt(position: number): void {
    this.last = position;
  }

  async run(): Promise<void> {
    await Promise.all(SINKS.map((sink) => this.watch(sink)));
  }

  private async watch(sink: Sink): Promise<void> {
    for (let reached = -1; reached < this.last; await delay(POLL_MS)) {
      const position = Number(await this.looks[sink]());
      if (position > reached) this.seen[sink].push([position, Date.now()]);
      reached = Math.max(reached, position);
    }
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
