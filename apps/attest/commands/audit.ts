import type { Command } from 'commander';
import type { ReplayAnswer } from '../../audit/audit.controller';
import type { Explanation } from '../../audit/why';
import { answer, table } from '../terminal';
import { asOfOption, type Common, command, connect, tenantOption } from './command';

export function addAuditCommands(program: Command): void {
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

export function describeExplanation({ origin, rules, steps }: Explanation): string {
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
