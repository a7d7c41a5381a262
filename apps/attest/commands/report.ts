import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { describeReport, reportNames } from '../../../projections/clickhouse';
import { REPORT_FORMATS, type ReportFormat } from '../../reports/media-types';
import type { Report } from '../../reports/reports.controller';
import { UsageError } from '../data-folder';
import { answer, say, table } from '../terminal';
import { asOfOption, type Common, command, connect, knownAtOption, settled, tenantOption } from './command';
import { wholeFile } from './whole-file';

interface ReportOptions extends Common {
  readonly format?: ReportFormat;
  readonly out?: string;
  readonly [parameter: string]: unknown;
}

/** What a report may take, as the command line has it. */
const PARAMETERS: Readonly<Record<string, readonly [flags: string, description: string]>> = {
  manager: ['--manager <id>', 'only people below this manager'],
  scope: ['--scope <scope>', 'subtree, or direct for only who reports to the manager'],
  within: ['--within <days>', 'how many days ahead is soon'],
  course: ['--course <id>', 'only this course'],
};

export function addReportCommands(program: Command): void {
  const reporting = program.command('report').description('ask the warehouse');
  for (const name of reportNames()) {
    const { says, defaults } = describeReport(name);
    const summary = /^(.*?)[.:;]( |$)/.exec(says)?.[1] ?? says;
    const taken = Object.entries(PARAMETERS).filter(([parameter]) => parameter in defaults);
    const reported = command(reporting, name, says)
      .summary(summary)
      // The sample keeps people and what they are assigned in one tenant, and learners without an employer in another.
      .addOption(tenantOption('within' in defaults ? 'acme' : 'ou'))
      .option(...asOfOption)
      .option(...knownAtOption);
    for (const [, option] of taken) reported.option(...option);
    reported
      .addOption(new Option('--format <format>', 'as a file, whole').choices(REPORT_FORMATS))
      .option('--out <file>', 'where the file goes (default: stdout)')
      .option('--limit <rows>', 'rows of a page of JSON')
      .option('--cursor <cursor>', 'next of the page before')
      .action((options: ReportOptions) =>
        run(
          name,
          taken.map(([parameter]) => parameter),
          options,
        ),
      );
  }
}

async function run(name: string, taken: readonly string[], options: ReportOptions): Promise<void> {
  const { format, out, json } = options;
  if (out && !format) throw new UsageError('--out needs --format: csv, parquet, xlsx or json.');
  const client = await connect(options, 'analyst');
  await settled(client);
  const asked = ['asOf', 'knownAt', 'limit', 'cursor', ...taken].map((key) => [
    key,
    options[key] as string | undefined,
  ]);
  const parameters = Object.fromEntries(asked) as Record<string, string | undefined>;
  const path = `/v1/reports/${name}`;
  if (!format) {
    const report = await client.get<Report<object>>(path, parameters);
    answer(report, Boolean(json), () => forPeople(report));
    return;
  }
  const write = (to: Writable) => client.download(path, { ...parameters, format }, to);
  const headers = await (out
    ? wholeFile(out, (fd) => write(createWriteStream(out, { fd, autoClose: false })))
    : write(process.stdout));
  const { 'attest-effective': effective, 'attest-position': position } = headers as Record<string, string>;
  if (position) say(freshness(effective!, position));
  if (out) answer({ report: name, format, out }, Boolean(json), () => `Written to ${out}.`);
}

function forPeople({ rows, asOf, digest, next }: Report<object>): string {
  const { position, time, effective } = asOf;
  const fresh = `${freshness(effective, position)} (recorded ${time ?? '-'}), digest ${digest}`;
  return `${table(rows)}\n\n${fresh}${next ? `\nmore rows: --cursor ${next}` : ''}`;
}

function freshness(effective: string, position: string): string {
  return `as of ${effective}, log position ${position}`;
}
