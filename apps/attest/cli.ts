#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { EngineStartError } from '../../infra/embedded/engine';
import { type Role, ROLES } from '../../packages/commands';
import type { CourseOutcomes, TeamCompliance } from '../../projections/expected-reports';
import type { ReplayAnswer } from '../audit/audit.controller';
import type { Explanation } from '../audit/why';
import type { Report } from '../reports/reports.controller';
import { AttestClient, findStack, ProblemError, tokenFor } from './client';
import { DataFolder, UsageError } from './data-folder';
import type { ImportSummary } from './import/import-tally';
import { answer, progressBar, say, table } from './terminal';

interface Common {
  readonly data?: string;
  readonly json?: boolean;
  readonly tenant: string;
}

const program = new Command('attest')
  .description('The system of record for workplace learning.')
  .showHelpAfterError()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

/** A command with the options that all have. */
function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'one JSON value on stdout, everything for people on stderr')
    .option('--data <dir>', 'the data folder (default: ATTEST_DATA, or .attest)');
}

/** The engines need the next four ports. */
function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_531) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65531.');
}

function parseDuration(text: string): string {
  if (/^[1-9]\d{0,5} ?[smhd]$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a number with its unit, such as 90s, 15m, 8h or 1d.');
}

const tenantOption = (fallback: string): Option => new Option('--tenant <name>', 'the tenant').default(fallback);

async function connect({ data: path, tenant }: Common, role: Role): Promise<AttestClient> {
  const { data, api } = findStack(path);
  return new AttestClient(api, await tokenFor(data, tenant, role));
}

command(program, 'up', 'bring up the engines and every service, and stay up')
  .addOption(
    new Option('--port <n>', 'port of the API; the engines take the next four; 0 takes free ports for everything')
      .default(7400)
      .argParser(parsePort),
  )
  .option('--no-sample', 'do not load the sample data on the first start')
  .action(async (options: { data?: string; port: number; sample: boolean; json?: boolean }) => {
    const { up } = await import('./up.js');
    await up(options);
  });

const NO_NATS = 'NATS does not run: install nats-server and start Attest again, or set ATTEST_NATS_URL.';

const importing = program.command('import').description('bring in real data through the public doors');

command(importing, 'oulad <dir>', 'the Open University Learning Analytics Dataset, over HTTP')
  .addOption(tenantOption('ou'))
  .action(async (folder: string, options: Common) => {
    const { importOulad, OULAD_SETUP, countOulad } = await import('./import/oulad.js');
    const client = await connect(options, 'admin');
    const bar = progressBar('Importing OULAD', await countOulad(folder));
    const summary = await importOulad(client, options.tenant, folder, bar.advance);
    bar.stop();
    answerImport(summary, options, OULAD_SETUP);
  });

command(importing, 'employees <dir>', 'the employees data, published on NATS as the HRIS would')
  .addOption(tenantOption('acme'))
  .action(async (folder: string, options: Common) => {
    const { importEmployees } = await import('./import/employees.js');
    const { nats } = findStack(options.data);
    if (!nats) throw new UsageError(NO_NATS);
    let bar = progressBar('Importing employees', 0);
    const start = (total: number): void => {
      bar.stop();
      bar = progressBar('Importing employees', total);
    };
    const summary = await importEmployees(nats, options.tenant, folder, start, (settled) => bar.advance(settled));
    bar.stop();
    answerImport(summary, options, []);
  });

const reporting = program.command('report').description('ask the warehouse');
const asOfOption = ['--as-of <date>', 'as of this date (its end, UTC) or time, ISO 8601'] as const;

command(reporting, 'course-outcomes', 'enrollments and attempts of each course')
  .addOption(tenantOption('ou'))
  .option(...asOfOption)
  .action(async (options: Common & { asOf?: string }) => {
    const client = await connect(options, 'analyst');
    await client.settled();
    answerReport(
      await client.get<Report<CourseOutcomes>>('/v1/reports/course-outcomes', { asOf: options.asOf }),
      options,
    );
  });

command(reporting, 'team-compliance', 'how the teams of each manager stand')
  .addOption(tenantOption('acme'))
  .option(...asOfOption)
  .option('--manager <id>', 'only the teams of this manager and of everybody below')
  .action(async (options: Common & { asOf?: string; manager?: string }) => {
    const client = await connect(options, 'analyst');
    await client.settled();
    const { asOf, manager } = options;
    answerReport(await client.get<Report<TeamCompliance>>('/v1/reports/team-compliance', { asOf, manager }), options);
  });

const auditing = program.command('audit').description('ask the log itself');

command(auditing, 'replay', 'fold the log anew for a person, a course or the tenant')
  .addOption(tenantOption('ou'))
  .option('--person <id>', 'only this person')
  .option('--course <id>', 'only this course')
  .option(...asOfOption)
  .option('--check', 'compare with the read models and the warehouse; exit 1 when they differ')
  .action(async (options: Common & { person?: string; course?: string; asOf?: string; check?: boolean }) => {
    const { person, course, asOf } = options;
    const client = await connect(options, 'compliance');
    const check = options.check ? 'true' : undefined;
    const replay = await client.get<ReplayAnswer>('/v1/audit/replay', { person, course, asOf, check });
    answer(replay, Boolean(options.json), () => describeReplay(replay));
    if (replay.check && !replay.check.ok) process.exitCode = 1;
  });

command(auditing, 'why <id>', 'the chain of causes of an enrollment, notification, attempt, person or event')
  .addOption(tenantOption('acme'))
  .action(async (id: string, options: Common) => {
    const client = await connect(options, 'compliance');
    const explanation = await client.get<Explanation>(`/v1/audit/why/${encodeURIComponent(id)}`);
    answer(explanation, Boolean(options.json), () => describeExplanation(explanation));
  });

const acting = program.command('scenario').description('act out what must always work, on the running Attest');

command(acting, 'promotion', 'the HRIS promotes somebody of the sample: follow it to the last effect, and explain it')
  .addOption(tenantOption('acme'))
  .action(async (options: Common) => {
    const { promote } = await import('./promotion.js');
    const { nats } = findStack(options.data);
    if (!nats) throw new UsageError(NO_NATS);
    const scenario = await promote(await connect(options, 'admin'), nats, options.tenant, say);
    answer(scenario, Boolean(options.json), () =>
      [
        table(scenario.effects),
        describeExplanation(scenario.why),
        `${scenario.milliseconds} ms from publish to last effect`,
      ].join('\n\n'),
    );
  });

command(
  program,
  'tour',
  'show the main job once through, on a stack of its own, checked against the sample files',
).action(async ({ json }: { json?: boolean }) => {
  const { tour } = await import('./tour.js');
  const result = await tour(say);
  answer(result, Boolean(json), () => {
    const { ok, seconds, ...parts } = result;
    const rows = Object.entries(parts).map(([part, figures]) => ({ part, ok: String(figures.ok), ...flat(figures) }));
    return `${rows.map((row) => table([row])).join('\n\n')}\n\n${ok ? 'Everything agrees' : 'SOMETHING DIFFERS'} (${seconds.toFixed(1)} s).`;
  });
  if (!result.ok) process.exitCode = 1;
});

command(program, 'token', 'sign a short-lived token with the local issuer')
  .addOption(tenantOption('ou'))
  .addOption(new Option('--role <role>', 'what the token allows').choices(ROLES).default('admin'))
  .option('--sub <id>', 'who it is for: the person id of a learner or manager (default: the role)')
  .addOption(
    new Option('--expires-in <time>', 'how long it is good for, for example 15m or 8h')
      .default('1h')
      .argParser(parseDuration),
  )
  .action(async (options: Common & { role: Role; sub?: string; expiresIn: string }) => {
    const { tenant, role, sub, expiresIn } = options;
    const token = await tokenFor(new DataFolder(options.data), tenant, role, sub, expiresIn);
    answer({ tenant, role, sub: sub ?? role, expiresIn, token }, Boolean(options.json), () => token);
  });

function answerImport(summary: ImportSummary, { json }: Common, setup: readonly string[]): void {
  const rows = Object.entries(summary.byKind).map(([kind, counts]) => ({
    kind: setup.includes(kind) ? `(${kind})` : kind,
    ...counts,
  }));
  answer(summary, Boolean(json), () => {
    const refusals = summary.refusals.map(({ fact, reason }) => `  ${fact}: ${reason}`);
    return [
      table([...rows, { kind: 'all facts', ...summary.facts }]),
      ...(refusals.length > 0 ? ['', 'Refused:', ...refusals] : []),
      '',
      `${summary.seconds.toFixed(1)} s`,
    ].join('\n');
  });
}

function answerReport(report: Report<object>, { json }: Common): void {
  const { position, time, effective } = report.asOf;
  answer(
    report,
    Boolean(json),
    () => `${table(report.rows)}\n\nas of ${effective}, log position ${position} (recorded ${time ?? '-'})`,
  );
}

function describeReplay({ asOf, events, documents, digest, courseOutcomes, person, check }: ReplayAnswer): string {
  const parts = [
    `${events} events up to position ${asOf.position}, as of ${asOf.effective}`,
    table([documents]),
    ...(person ? [JSON.stringify(person, null, 2)] : [table(courseOutcomes)]),
    `digest ${digest}`,
  ];
  if (check) {
    parts.push(`checked ${check.compared} documents and rows: ${check.differing} differ`);
    if (check.differing > 0) parts.push(table(check.differences));
  }
  return parts.join('\n\n');
}

function describeExplanation({ origin, rules, steps }: Explanation): string {
  const lines = steps.map(({ depth, type, stream, occurredAt, via, position }) => ({
    event: `${'  '.repeat(depth)}${type}`,
    stream: stream.slice(stream.indexOf('.') + 1),
    effective: occurredAt.slice(0, 10),
    via,
    position,
  }));
  const inForce = rules.map(({ rule, version, publishedBy, recordedAt }) => ({
    rule,
    version,
    publishedBy,
    recordedAt,
  }));
  return [
    `${origin.via} ${origin.id}, by ${origin.actor}`,
    table(lines),
    ...(inForce.length > 0 ? [table(inForce)] : []),
  ].join('\n\n');
}

function flat(figures: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null ? Object.entries(value as object) : [[key, value as unknown]],
    ),
  );
}

program
  .parseAsync()
  .catch((error: unknown) => {
    const isPlain = error instanceof UsageError || error instanceof EngineStartError || error instanceof ProblemError;
    say(isPlain ? `attest: ${error.message}` : String((error as Error).stack ?? error));
    process.exitCode = isPlain ? 2 : 1;
  })
  // The event store's client keeps its channel open, which would keep the process alive.
  .finally(() => process.exit());
