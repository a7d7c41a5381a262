import { type Job, type JobResult, runJob } from './job';
import { named, type Part } from './part';
import { startProduction } from './production';
import { settled } from './settled';
import type { Timing } from './statistics';

const TENANT = 'bench';
const CONNECTIONS = 64;
const BULK = { connections: 4, lines: 1_000 };

type Way = 'raw' | 'single' | 'bulk' | 'nats';
type TimedJob = Extract<Job, { readonly seconds: number }>;

/** Commands through each door, and the events that they lead to by the raw client on the same engine, taken in turn. */
export const write: Part = async ({ quick, report }) => {
  const [rounds, seconds] = quick ? [1, 2] : [4, 8];
  const stack = await startProduction({ services: ['assessment', 'projector', 'audit'], nats: true });
  try {
    const token = await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] });
    const url = stack.url('assessment');
    const jobs: Record<Way, TimedJob> = {
      raw: { kind: 'raw-appends', url: stack.url('eventstore'), tenant: TENANT, inFlight: CONNECTIONS, seconds },
      single: { kind: 'http-commands', url, token, connections: CONNECTIONS, seconds },
      bulk: { kind: 'bulk-commands', url, token, ...BULK, seconds },
      nats: { kind: 'nats-commands', url: stack.natsUrl, token, inFlight: CONNECTIONS, seconds },
    };
    const best = new Map<Way, Timing>();
    for (let round = 0; round <= rounds; round++) {
      for (const [way, job] of Object.entries(jobs) as [Way, TimedJob][]) {
        await settled(stack, TENANT);
        const { timing } = acceptedAll(way, await runJob(round === 0 ? { ...job, seconds: seconds / 2 } : job));
        report(`${way} ${round === 0 ? 'warmed up' : `round ${round}`}: ${Math.round(timing.perSecond)}/s`);
        const highest = best.get(way);
        if (round > 0 && (!highest || timing.perSecond > highest.perSecond)) best.set(way, timing);
      }
    }
    const ways = [...best].map(([way, { perSecond, p50Ms, p99Ms }]) => named(way, { perSecond, p50Ms, p99Ms }));
    const toRaw = (way: Way): number => best.get(way)!.perSecond / best.get('raw')!.perSecond;
    const ratios = { singleToRaw: toRaw('single'), bulkToRaw: toRaw('bulk'), natsToRaw: toRaw('nats') };
    return {
      name: 'write',
      figures: Object.assign({}, ...ways, ratios) as Record<string, number>,
      floors: [
        { figure: 'singleToRaw', atLeast: 0.2, aim: 0.35 },
        { figure: 'bulkToRaw', atLeast: 0.5, aim: 0.6 },
      ],
    };
  } finally {
    await stack.stop();
  }
};

function acceptedAll(way: Way, result: JobResult): JobResult {
  if (result.timing.errors > 0) {
    throw new Error(`${result.timing.errors} of ${way} were not accepted: ${result.complaints.join('; ')}`);
  }
  return result;
}
