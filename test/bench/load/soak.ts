import { setTimeout as delay } from 'node:timers/promises';
import { anonymousMemory } from '../../../infra/embedded/process-usage';
import { runJob } from './job';
import { Organisation } from './organisation';
import type { Part } from './part';
import { startProduction } from './production';
import { settled } from './settled';
import { median } from './statistics';

const TENANT = 'bench';
const ATTEMPTS = 100_000;
const MANAGERS = 20;
const COMMANDS_PER_SECOND = 100;
const WARM_UP_SECONDS = 6;
/** How often memory is looked at. */
const SAMPLES = 60;

/** Mixed load for minutes: the memory that each process holds of its own must not grow from its second quarter to its last. */
export const soak: Part = async ({ quick, report }) => {
  const seconds = quick ? 20 : 600;
  const services = ['people', 'enrollment', 'assessment', 'projector', 'reports', 'audit'] as const;
  const stack = await startProduction({ services });
  const organisation = await Organisation.begin(stack, TENANT);
  try {
    await organisation.grow(ATTEMPTS, report);
    const managers = await organisation.managers(MANAGERS);
    const token = await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] });
    const tokens = await Promise.all(managers.map((sub) => stack.token({ sub, tenant: TENANT, roles: ['manager'] })));
    const names = ['team-compliance', 'team-compliance-by-person', 'course-outcomes', 'weekly-trend'];
    const paths = names.map((name) => `/v1/reports/${name}`);
    const commands = { kind: 'http-commands', url: stack.url('assessment'), token, connections: 16 } as const;
    const reads = { kind: 'reads', url: stack.url('reports'), paths, tokens } as const;
    // As fast as it goes, so that what grows with the first thousands of commands and reports has grown.
    await runJob({ ...commands, seconds: WARM_UP_SECONDS });
    await runJob({ ...reads, restMs: 0, seconds: WARM_UP_SECONDS });
    await settled(stack, TENANT);
    const load = Promise.all([
      runJob({ ...commands, rate: COMMANDS_PER_SECOND, seconds }),
      runJob({ ...reads, restMs: 2_000, seconds }),
    ]);
    const samples = new Map(Object.keys(stack.pids()).map((name) => [name, [] as number[]]));
    const sampling = new AbortController();
    const watching = (async () => {
      while (!sampling.signal.aborted) {
        for (const [name, pid] of Object.entries(stack.pids())) samples.get(name)!.push(anonymousMemory(pid) / 2 ** 20);
        await delay((seconds * 1000) / SAMPLES);
      }
    })();
    const results = await load.finally(() => sampling.abort());
    await watching;
    const figures: Record<string, number> = {
      errors: results.reduce((total, { timing }) => total + timing.errors, 0),
      commandsPerSecond: results[0].timing.perSecond,
      reportsPerSecond: results[1].timing.perSecond,
    };
    for (const [name, memory] of samples) {
      const quarter = (n: number): number =>
        median(memory.slice(Math.floor((memory.length * n) / 4), Math.floor((memory.length * (n + 1)) / 4)));
      figures[`${name}Mb`] = quarter(3);
      figures[`${name}Growth`] = quarter(3) / quarter(1);
      report(`${name}: ${Math.round(quarter(1))} MB in the second quarter, ${Math.round(quarter(3))} MB in the last`);
    }
    const growth = [...samples.keys()].map((name) => ({ figure: `${name}Growth`, atMost: 1.25, aim: 1.1 }));
    return { name: 'soak', figures, floors: [{ figure: 'errors', atMost: 0 }, ...growth] };
  } finally {
    await organisation.close();
    await stack.stop();
  }
};
