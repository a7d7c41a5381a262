import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProjectionRow } from '../../projector/projection-status';
import type { ParkedEvent, ReadModelAnswer, RedriveAnswer } from '../../projector/projections.controller';
import type { Status } from '../../reports/status.controller';
import type { AttestClient } from '../client';
import { UsageError } from '../data-folder';
import { answer, progressBar, table } from '../terminal';
import { type Common, command, connect, tenantOption } from './command';

/** Shortest time from look to look, in milliseconds. */
const POLL = 100;
/** Who waits for a build rests so many times as long as a look took: lag is counted in the log, which who builds reads too. */
const RESTS = 4;

/** How a build of one projection ended. */
interface BuildSummary {
  readonly projection: string;
  readonly collection: string;
  readonly seconds: number;
  readonly documents: number | null;
  readonly differing: number | null;
  readonly differences: readonly object[];
}

export function addProjectionsCommands(program: Command): void {
  const running = program
    .command('projections')
    .description('read models, warehouse and workflows: how far they are, and what to do about it');

  command(running, 'list', 'position, lag and rate of everything that reads the log')
    .addOption(tenantOption('acme'))
    .action(async (options: Common) => {
      const client = await connect(options, 'admin');
      const rows = await client.get<ProjectionRow[]>('/v1/projections');
      answer(rows, Boolean(options.json), () => table(rows));
    });

  command(running, 'parked', 'events of the tenant that could not be applied, with the reason')
    .addOption(tenantOption('acme'))
    .action(async (options: Common) => {
      const parked = await readParked(await connect(options, 'admin'));
      answer(parked, Boolean(options.json), () => describeParked(parked));
    });

  command(running, 'redrive', 'drive the parked events of the tenant again; exit 1 when some still fail')
    .addOption(tenantOption('acme'))
    .action(async (options: Common) => {
      const client = await connect(options, 'admin');
      const driven = await client.post<RedriveAnswer>('/v1/projections/redrive');
      const builds = await untilBuilt(client, driven.rebuilding, 'Building anew');
      let stillFailing = await readParked(client);
      while (stillFailing.some(({ redriving }) => redriving)) {
        await delay(POLL);
        stillFailing = await readParked(client);
      }
      answer({ ...driven, builds, stillFailing }, Boolean(options.json), () =>
        [
          `${driven.rebuilding.length} read models built anew, ${driven.commands - driven.refused} commands of workflows accepted, ` +
            `${driven.workflows} events taken up by workflows.`,
          stillFailing.length > 0 ? `Still failing:\n\n${describeParked(stillFailing)}` : 'Nothing is parked any more.',
        ].join('\n'),
      );
      if (stillFailing.length > 0) process.exitCode = 1;
    });

  command(
    running,
    'rebuild [names...]',
    'build read models and tables of the warehouse anew beside those that queries read, compare, and switch',
  )
    .addOption(tenantOption('acme'))
    .option('--all', 'every read model, from one reading of the log, and every table of the warehouse')
    .option('--diff', 'list the documents and rows of the tenant that differ from what queries read before')
    .action(async (given: readonly string[], options: Common & { all?: boolean; diff?: boolean }) => {
      const client = await connect(options, 'admin');
      const names = options.all ? await everyName(client) : given;
      if (names.length === 0) throw new UsageError('Name the read models or tables to rebuild, or give --all.');
      await Promise.all(names.map((name) => client.post(pathOf(name, 'rebuild'))));
      const builds = await untilBuilt(client, names, 'Rebuilding');
      answer(builds, Boolean(options.json), () => describeBuilds(builds, Boolean(options.diff)));
    });

  command(running, 'rollback <name>', 'go back to what queries read before the last switch, brought up to the log')
    .addOption(tenantOption('acme'))
    .action(async (name: string, options: Common) => {
      const client = await connect(options, 'admin');
      await client.post(pathOf(name, 'rollback'));
      const builds = await untilBuilt(client, [name], 'Catching up');
      answer(builds[0], Boolean(options.json), () => describeBuilds(builds, false));
    });
}

function pathOf(name: string, action?: string): string {
  return `/v1/projections/${encodeURIComponent(name)}${action ? `/${action}` : ''}`;
}

/** Whatever has a version and is not a workflow. */
async function everyName(client: AttestClient): Promise<string[]> {
  const rows = await client.get<ProjectionRow[]>('/v1/projections');
  const built = rows.filter(({ sink, version }) => sink !== 'workflow' && version !== null);
  return [...new Set(built.map(({ projection }) => projection))];
}

async function readParked(client: AttestClient): Promise<ParkedEvent[]> {
  const parked: ParkedEvent[] = [];
  for (;;) {
    const page = await client.get<ParkedEvent[]>('/v1/projections/parked', { limit: '1000', after: parked.at(-1)?.id });
    parked.push(...page);
    if (page.length < 1_000) return parked;
  }
}

/** Waits until queries read what was asked for. One look tells of all of it. */
async function untilBuilt(client: AttestClient, names: readonly string[], label: string): Promise<BuildSummary[]> {
  if (names.length === 0) return [];
  const { log } = await client.get<Status>('/v1/status');
  const bar = progressBar(label, Number(log));
  let shown = 0;
  for (;;) {
    const lookedAt = performance.now();
    const rows = await client.get<ProjectionRow[]>('/v1/projections');
    const building = rows.filter(({ projection, state }) => names.includes(projection) && state !== 'live');
    if (building.length === 0) break;
    const behind = building.filter(({ state }) => state === 'catching-up');
    // On average: they are built some together and some one after the other.
    const missing = behind.map(({ position }) => Math.max(Number(log) - Number(position), 0));
    const reached = Math.floor(Number(log) - missing.reduce((sum, each) => sum + each, 0) / names.length);
    bar.advance(Math.max(reached - shown, 0));
    shown = Math.max(reached, shown);
    await delay(Math.max(POLL, RESTS * (performance.now() - lookedAt)));
  }
  bar.advance(Number(log) - shown);
  bar.stop();
  const states = names.map((name) => client.get<ReadModelAnswer>(pathOf(name)));
  return (await Promise.all(states)).map(toSummary);
}

function toSummary({ projection, active, last }: ReadModelAnswer): BuildSummary {
  const { startedAt, switchedAt, compared } = last!;
  return {
    projection,
    collection: active.collection,
    seconds: (Date.parse(switchedAt) - Date.parse(startedAt)) / 1_000,
    documents: compared?.documents ?? null,
    differing: compared?.differing ?? null,
    differences: compared?.differences ?? [],
  };
}

function describeBuilds(builds: readonly BuildSummary[], withDifferences: boolean): string {
  const rows = builds.map(({ differences: _, ...row }) => row);
  const differences = builds.flatMap(({ projection, differences }) =>
    differences.map((difference) => ({ projection, ...difference })),
  );
  return withDifferences ? `${table(rows)}\n\n${table(differences)}` : table(rows);
}

function describeParked(parked: readonly ParkedEvent[]): string {
  return table(
    parked.map(({ consumer, position, stream, type, reason }) => ({ consumer, position, stream, type, reason })),
  );
}
