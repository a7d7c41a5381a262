import { anonymousMemory } from '../../../infra/embedded/process-usage';
import { runJob } from './job';
import { Organisation } from './organisation';
import type { Part } from './part';
import { startProduction } from './production';

const TENANT = 'bench';
const REPORTS = ['team-compliance', 'course-outcomes'];
const MANAGERS = 20;

/** The same reports about the same sort of teams in a small, a large and a very large organisation. */
export const scale: Part = async ({ quick, report }) => {
  const [sizes, seconds] = quick ? [[0.01, 1], 3] : [[1, 10, 100], 20];
  const services = ['people', 'enrollment', 'assessment', 'projector', 'reports', 'audit'] as const;
  const stack = await startProduction({ services });
  const organisation = await Organisation.begin(stack, TENANT);
  try {
    const figures: Record<string, number> = {};
    const token = await stack.token({ sub: 'analyst', tenant: TENANT, roles: ['analyst'] });
    for (const millions of sizes) {
      await organisation.grow(millions * 1e6, report);
      const managers = await organisation.managers(MANAGERS);
      for (const name of REPORTS) {
        const paths = managers.map((id) => `/v1/reports/${name}?manager=${id}`);
        const job = { kind: 'reads', url: stack.url('reports'), paths, tokens: [token], restMs: 0, seconds } as const;
        await runJob({ ...job, seconds: seconds / 4 });
        const { timing, complaints } = await runJob(job);
        if (timing.errors > 0) throw new Error(`${name} failed: ${complaints.join('; ')}`);
        figures[`${name}${millions}MP50Ms`] = timing.p50Ms;
        figures[`${name}${millions}MP95Ms`] = timing.p95Ms;
        report(`${name} at ${millions} million: p50 ${Math.round(timing.p50Ms)} ms`);
      }
      figures[`clickhouse${millions}MMb`] = anonymousMemory(stack.process('clickhouse').pid) / 2 ** 20;
    }
    const [smallest, largest] = [sizes[0]!, sizes.at(-1)!];
    const growth = (figure: string, unit: string): number =>
      figures[`${figure}${largest}M${unit}`]! / figures[`${figure}${smallest}M${unit}`]!;
    for (const name of REPORTS) figures[`${name}TimeGrowth`] = growth(name, 'P50Ms');
    figures.memoryGrowth = growth('clickhouse', 'Mb');
    // A hundred times the data.
    const floors = [...REPORTS.map((name) => `${name}TimeGrowth`), 'memoryGrowth'].map((figure) => ({
      figure,
      atMost: 10,
      aim: 3,
    }));
    return { name: 'scale', figures, floors };
  } finally {
    await organisation.close();
    await stack.stop();
  }
};
