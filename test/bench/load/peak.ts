import { type HttpCommandsJob, type JobResult, type ReadsJob, runJob } from './job';
import { Organisation } from './organisation';
import { named, type Part } from './part';
import { startProduction } from './production';
import { settled } from './settled';
import type { Timing } from './statistics';

const TENANT = 'bench';
const REPORT = '/v1/reports/team-compliance';
/** 5,000 people submit within a minute. */
const RATE = 5_000 / 60;
const CONNECTIONS = 64;
/** How long a manager looks at a report before asking for it again. */
const REST_MS = 20_000;
const WARM_UP_SECONDS = 8;

/**
 * The annual deadline: people submit while managers pull team reports over millions of attempts. First the reports alone, one after the
 * other, again and then for the first time, and fifty at once; then the commands without readers, with 50 and with 500.
 */
export const peak: Part = async ({ quick, report }) => {
  const [attempts, seconds, aloneSeconds] = quick ? [500_000, 13, 5] : [10_000_000, 60, 60];
  const services = ['people', 'enrollment', 'assessment', 'projector', 'reports', 'audit'] as const;
  const stack = await startProduction({ services });
  const organisation = await Organisation.begin(stack, TENANT);
  try {
    await organisation.grow(attempts, report);
    await organisation.becomeOld();
    const managers = await organisation.managers(500);
    const fifty = await organisation.managers(50);
    const tokenOf = (sub: string): Promise<string> => stack.token({ sub, tenant: TENANT, roles: ['manager'] });
    const reads = { kind: 'reads', url: stack.url('reports'), seconds } as const;
    const analyst = await stack.token({ sub: 'analyst', tenant: TENANT, roles: ['analyst'] });
    const inTurn = (ids: readonly string[]): ReadsJob => {
      const paths = ids.map((id) => `${REPORT}?manager=${id}`);
      return { ...reads, paths, tokens: [analyst], restMs: 0, seconds: aloneSeconds };
    };
    const one = inTurn(fifty);
    const others = inTurn(scattered(await organisation.managers(1_001)));
    const pulling = async (ids: readonly string[], restMs: number): Promise<ReadsJob> => {
      return { ...reads, paths: [REPORT], tokens: await Promise.all(ids.map(tokenOf)), restMs };
    };
    const commands: HttpCommandsJob = {
      kind: 'http-commands',
      url: stack.url('assessment'),
      token: await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] }),
      connections: CONNECTIONS,
      rate: RATE,
      seconds,
    };
    const figures: Record<string, number> = { attempts: organisation.attempts, people: organisation.people };
    let errors = 0;
    const keep = (group: string, { timing, complaints }: JobResult): Timing => {
      const { perSecond, p50Ms, p95Ms, p99Ms } = timing;
      errors += timing.errors;
      Object.assign(figures, named(group, { perSecond, p50Ms, p95Ms, p99Ms }));
      report(`${group}: p95 ${Math.round(p95Ms)} ms ${complaints.join('; ')}`);
      return timing;
    };
    await runJob({ ...one, seconds: WARM_UP_SECONDS });
    await runJob({ ...commands, seconds: WARM_UP_SECONDS });
    await settled(stack, TENANT);
    keep('reportAlone', await runJob(one));
    keep('reportFirst', await runJob(others));
    keep('report50AtOnce', await runJob({ ...(await pulling(fifty, 0)), seconds: aloneSeconds }));
    // Too short for a manager to come back, and for the service to become warm: some have been there before.
    if (quick) await runJob({ ...inTurn(managers), tokens: Array<string>(4).fill(analyst), seconds: 12 });
    const without = keep('command', await runJob(commands));
    for (const ids of [fifty, managers]) {
      const [command, reports] = await Promise.all([runJob(commands), runJob(await pulling(ids, REST_MS))]);
      const { p99Ms } = keep(`commandWith${ids.length}`, command);
      keep(`reportAmong${ids.length}`, reports);
      figures[`commandP99With${ids.length}ToWithout`] = p99Ms / without.p99Ms;
    }
    return {
      name: 'peak',
      figures: { ...figures, errors },
      floors: [
        { figure: 'errors', atMost: 0 },
        { figure: 'reportAloneP95Ms', atMost: 50 },
        { figure: 'report50AtOnceP95Ms', atMost: 1_000 },
        { figure: 'commandP99With50ToWithout', atMost: 1.5 },
        { figure: 'commandP99With500ToWithout', atMost: 1.5 },
      ],
    };
  } finally {
    await organisation.close();
    await stack.stop();
  }
};

/** In another order, in which the managers of many people, who come first, do not stand together; for any number that is no multiple of 389. */
function scattered(ids: readonly string[]): string[] {
  return ids.map((_, n) => ids[(n * 389) % ids.length]!);
}
