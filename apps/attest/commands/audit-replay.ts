import { type Command, InvalidArgumentError } from 'commander';
import type { TimelineEntry } from '../../audit/event-timeline';
import type { PoisonEvents } from '../../audit/poison';
import type { ReplayAnswer } from '../../audit/replay-answer';
import { type ScopeKind, SCOPES } from '../../audit/scope-kinds';
import { patiently } from '../client';
import { answer, table } from '../terminal';
import { asOfOption, type Common, command, connect, knownAtOption, SCOPE_TEXTS, tenantOption } from './command';
import { withProgress } from './with-progress';

type Options = Common & { [Kind in ScopeKind]?: string } & {
  auditLog?: boolean;
  asOf?: string;
  knownAt?: string;
  timeline?: string;
  check?: boolean;
};

export function addReplayCommand(auditing: Command): void {
  const replaying = command(auditing, 'replay', 'fold the log anew for one thing or the tenant').addOption(
    tenantOption('ou'),
  );
  for (const kind of SCOPES) replaying.option(`--${kind} <id>`, SCOPE_TEXTS[kind]);
  replaying
    .option('--audit-log', 'who looked at what in the audit')
    .option(...asOfOption)
    .option(...knownAtOption)
    .option('--timeline <n>', 'list the newest so many events', parseCount)
    .option('--check', 'compare with the read models and the warehouse; exit 1 when they differ')
    .action(async (options: Options) => {
      const { asOf, knownAt, timeline } = options;
      const scope = Object.fromEntries(SCOPES.map((kind) => [kind, options[kind]]));
      const flags = { auditLog: options.auditLog ? 'true' : undefined, check: options.check ? 'true' : undefined };
      const client = await connect(options, 'compliance');
      const parameters = { ...scope, ...flags, asOf, knownAt, timeline };
      const replay = await patiently(() =>
        withProgress<ReplayAnswer>('Replaying', client.lines('/v1/audit/replay', parameters)),
      );
      answer(replay, Boolean(options.json), () => describeReplay(replay));
      if (replay.check && !replay.check.ok) process.exitCode = 1;
    });
}

function parseCount(text: string): string {
  if (/^\d{1,6}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole number.');
}

function describeReplay(replay: ReplayAnswer): string {
  const { scope, asOf, events, documents, state, members, digest, courseOutcomes } = replay;
  const { timeline, timelineLeftOut, differences, parked, check } = replay;
  const known = asOf.knownAt === null ? '' : `, as known at ${asOf.knownAt}`;
  const parts = [`${events} events up to position ${asOf.position}, as of ${asOf.effective}${known}`];
  if (!scope.auditLog) parts.push(table([documents]));
  if (members) parts.push(`${members.length} people report to ${scope.team}`);
  for (const [name, found] of Object.entries(state ?? {})) parts.push(`${name}\n\n${table(found.map(withoutTenant))}`);
  if (!state && !scope.auditLog) parts.push(table(courseOutcomes));
  if (timeline.length > 0) parts.push(table(timeline.map(rowOf)));
  if (timeline.length > 0 && timelineLeftOut > 0) parts.push(`${timelineLeftOut} older events: see --timeline`);
  if (differences) parts.push(...describeDifferences(differences));
  parts.push(...describeParked(parked));
  parts.push(`digest ${digest}`);
  if (check) {
    parts.push(`checked ${check.compared} documents and rows: ${check.differing} differ`);
    if (check.differing > 0) parts.push(table(check.differences));
  }
  return parts.join('\n\n');
}

function withoutTenant(document: object): object {
  return Object.fromEntries(
    Object.entries(document)
      .filter(([field]) => field !== 'tenant' && field !== 'history')
      .map(([field, value]) => [field === '_id' ? 'id' : field, value as unknown]),
  );
}

function rowOf({ what, stream, data, who, via, occurredAt, recordedAt, why, position }: TimelineEntry): object {
  const { request, parameters } = data as { request?: string; parameters?: object };
  const about =
    request === undefined ? stream.slice(stream.indexOf('.') + 1) : `${request} ${JSON.stringify(parameters)}`;
  return { effective: occurredAt.slice(0, 10), recorded: recordedAt, what, about, who, via, why, position };
}

/** What could not be applied, when there is any. */
export function describeParked({ total, listed }: PoisonEvents): string[] {
  return total > 0 ? [`${total} events could not be applied and were left out`, table(listed)] : [];
}

function describeDifferences({ total, listed }: NonNullable<ReplayAnswer['differences']>): string[] {
  const rows = listed.flatMap(({ document, id, changes }) =>
    changes
      .filter(({ field }) => field !== 'history')
      .map(({ field, then, now }) => ({ document, id, field, then, now })),
  );
  return [`${total} documents are different now`, ...(rows.length > 0 ? [table(rows)] : [])];
}
