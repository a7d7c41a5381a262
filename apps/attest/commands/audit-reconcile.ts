import type { Command } from 'commander';
import type { ReconcileAnswer } from '../../audit/reconciliation';
import { answer, table } from '../terminal';
import { describeParked } from './audit-replay';
import { type Common, command, connect, tenantOption } from './command';
import { withProgress } from './with-progress';

export function addReconcileCommand(auditing: Command): void {
  command(auditing, 'reconcile', 'compare MongoDB and ClickHouse with the log; exit 1 when they differ')
    .addOption(tenantOption('ou'))
    .action(async (options: Common) => {
      const client = await connect(options, 'compliance');
      const reconciled = await withProgress<ReconcileAnswer>('Replaying', client.lines('/v1/audit/reconcile'));
      answer(reconciled, Boolean(options.json), () => describe(reconciled));
      if (!reconciled.ok) process.exitCode = 1;
    });
}

function describe({
  events,
  compared,
  differing,
  differences,
  positions,
  places,
  parked,
  milliseconds,
}: ReconcileAnswer): string {
  const parts = [
    table(Object.entries(positions).map(([store, position]) => ({ store, position }))),
    `${events} events, ${compared} documents and rows compared in ${milliseconds} ms: ${differing} differ`,
  ];
  if (differing > 0) {
    parts.push(table(Object.entries(places).map(([where, differ]) => ({ where, differ }))), table(differences));
  }
  parts.push(...describeParked(parked));
  return parts.join('\n\n');
}
