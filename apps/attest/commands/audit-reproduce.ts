import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { DigestedReport } from '../../../projections/clickhouse/report-digest';
import type { Reproduced } from '../../audit/reproduction';
import type { RestatementStep } from '../../audit/restatement';
import { type RowDifference, rowDifferences } from '../../audit/row-difference';
import type { AnswerLine } from '../../shared/long-answers';
import { UsageError } from '../data-folder';
import { answer, table } from '../terminal';
import { type Common, command, connect, tenantOption } from './command';
import { withProgress } from './with-progress';

/** An answer of a report as `attest report ... --json` printed it. */
type Saved = DigestedReport & { readonly digest: string };

interface Verdict extends Reproduced {
  readonly file: string;
  readonly same: boolean;
  /** Why it is not the same; null when it is. */
  readonly reason: 'file-was-changed' | 'other-sql' | 'other-rows' | null;
  readonly savedDigest: string;
  /** Where the rows in the file are others than the log leads to. */
  readonly deviations: readonly RowDifference[];
}

const REASONS = {
  'file-was-changed': 'the file is not as it was made: it does not have its own digest',
  'other-sql': 'the report was made by other SQL than this Attest has',
  'other-rows': 'the log leads to other rows than the file has: see "attest audit verify"',
} as const;

export function addReproduceCommand(auditing: Command): void {
  command(auditing, 'reproduce <file...>', 'recompute saved reports (attest report ... --json) from the log alone')
    .addOption(tenantOption('ou'))
    .option('--steps <n>', 'look so closely for the events that changed each report since', parseCount, 200)
    .action(async (files: string[], options: Common & { steps: number }) => {
      const saved = files.map(readSaved);
      const { reportDigest } = await import('../../../projections/clickhouse/report-digest.js');
      const client = await connect(options, 'compliance');
      const reports = saved.map(({ report, parameters, asOf }) => ({ report, parameters, ...positionOf(asOf) }));
      const lines = client.lines<AnswerLine<Reproduced[]>>(
        '/v1/audit/reproduce',
        {},
        { reports, steps: options.steps },
      );
      const reproduced = await withProgress('Replaying', lines);
      const verdicts = reproduced.map((each, at) => judge(files[at]!, saved[at]!, reportDigest(saved[at]!), each));
      answer(verdicts, Boolean(options.json), () => verdicts.map(describe).join('\n\n'));
      if (verdicts.some(({ same }) => !same)) process.exitCode = 1;
    });
}

function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number up to 9999.');
}

function positionOf({ position, effective }: Saved['asOf']): { position: string; effective: string } {
  return { position, effective };
}

/** @throws UsageError that names the file and what is wrong with it */
function readSaved(file: string): Saved {
  let saved: unknown;
  try {
    saved = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${(error as Error).message}.`);
  }
  const fields = ['report', 'parameters', 'asOf', 'projection', 'rows', 'digest'] as const;
  const found = (typeof saved === 'object' && saved !== null ? saved : {}) as Partial<Record<string, unknown>>;
  const missing: string[] = fields.filter((field) => found[field] === undefined);
  if (missing.length > 0) {
    throw new UsageError(`${file} is no saved answer of "attest report ... --json": it lacks ${missing.join(', ')}.`);
  }
  return saved as Saved;
}

/** @param digest what the file says, whatever it says its digest is */
function judge(file: string, saved: Saved, digest: string, reproduced: Reproduced): Verdict {
  const same = reproduced.digest === saved.digest && digest === saved.digest;
  const reason = same ? null : reasonOf(saved, digest, reproduced);
  return {
    file,
    same,
    reason,
    savedDigest: saved.digest,
    deviations: rowDifferences(saved.rows, reproduced.rows),
    ...reproduced,
  };
}

function reasonOf(saved: Saved, digest: string, { projection }: Reproduced): Verdict['reason'] {
  if (digest !== saved.digest) return 'file-was-changed';
  return saved.projection === projection ? 'other-rows' : 'other-sql';
}

function describe({
  file,
  same,
  reason,
  report,
  position,
  effective,
  digest,
  savedDigest,
  deviations,
  restated,
}: Verdict): string {
  const parts = [
    `${file}: ${report} as of ${effective}, log position ${position}`,
    same
      ? `the same from the log alone: ${digest}`
      : `NOT THE SAME: ${REASONS[reason!]}\n\nin the file     ${savedDigest}\nfrom the log    ${digest}`,
  ];
  if (deviations.length > 0) parts.push(table(deviations.map(cellOf('in the file', 'from the log'))));
  parts.push(`as known at ${restated.position}, ${restated.differences.length} cells say something else`);
  if (restated.differences.length > 0) parts.push(table(restated.differences.map(cellOf('then', 'now'))));
  if (restated.steps.length > 0) parts.push(table(restated.steps.flatMap(rowsOf)));
  return parts.join('\n\n');
}

const cellOf =
  (before: string, after: string) =>
  (difference: RowDifference): object => ({
    row: Object.values(difference.row).join(' '),
    column: difference.column ?? '(the row)',
    [before]: difference.from,
    [after]: difference.to,
  });

function rowsOf({ after, upTo, event, events, changes }: RestatementStep): object[] {
  const what = event
    ? `${event.type} ${event.stream.slice(event.stream.indexOf('.') + 1)}`
    : Object.entries(events)
        .map(([type, count]) => `${count} ${type}`)
        .join(', ');
  const when = event
    ? { effective: event.occurredAt.slice(0, 10), recorded: event.recordedAt, by: event.actor }
    : { effective: null, recorded: null, by: null };
  return changes.map((change, at) => ({
    at: at > 0 ? '' : event ? upTo : `${after} to ${upTo}`,
    what: at > 0 ? '' : what,
    ...when,
    ...cellOf('from', 'to')(change),
  }));
}
