import type { Command } from 'commander';
import { addExportCommand } from './audit-export';
import { addReconcileCommand } from './audit-reconcile';
import { addReplayCommand } from './audit-replay';
import { addReproduceCommand } from './audit-reproduce';
import { addVerifyBundleCommand } from './audit-verify-bundle';
import { addWhyCommand } from './audit-why';
import { addIntegrityCommands } from './integrity';

export function addAuditCommands(program: Command): void {
  const auditing = program.command('audit').description('ask the log itself');

  addReplayCommand(auditing);
  addReconcileCommand(auditing);
  addReproduceCommand(auditing);

  addWhyCommand(auditing);
  addIntegrityCommands(auditing);
  addExportCommand(auditing);
  addVerifyBundleCommand(auditing);
}
