import type { Command } from 'commander';
import type { Explanation } from '../../audit/why';
import type { AnswerLine } from '../../shared/long-answers';
import { answer, table } from '../terminal';
import { addExportCommand } from './audit-export';
import { addReconcileCommand } from './audit-reconcile';
import { addReplayCommand } from './audit-replay';
import { addReproduceCommand } from './audit-reproduce';
import { addVerifyBundleCommand } from './audit-verify-bundle';
import { type Common, command, connect, tenantOption } from './command';
import { addIntegrityCommands } from './integrity';
import { withProgress } from './with-progress';

export function addAuditCommands(program: Command): void {
  const auditing = program.command('audit').description('ask the log itself');

  addReplayCommand(auditing);
  addReconcileCommand(auditing);
  addReproduceCommand(auditing);

  command(
    auditing,
    'why <id>',
    'the chain of causes of an enrollment, notification, attempt, person, course, rule, assessment or event',
  )
    .addOption(tenantOption('acme'))
    .action(async (id: string, options: Common) => {
      const client = await connect(options, 'compliance');
      const lines = client.lines<AnswerLine<Explanation>>(`/v1/audit/why/${encodeURIComponent(id)}`);
      const explanation = await withProgress('Reading', lines);
      answer(explanation, Boolean(options.json), () => describeExplanation(explanation));
    });

  addIntegrityCommands(auditing);
  addExportCommand(auditing);
  addVerifyBundleCommand(auditing);
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
