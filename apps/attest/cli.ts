#!/usr/bin/env node
import { Command } from 'commander';
import { EngineStartError } from '../../infra/embedded/engine';
import { ProblemError } from './client';
import { addAuditCommands } from './commands/audit';
import { addImportCommands } from './commands/import';
import { addPrivacyCommands } from './commands/privacy';
import { addProjectionsCommands } from './commands/projections';
import { addReportCommands } from './commands/report';
import { addScenarioCommands } from './commands/scenario';
import { addTokenCommand } from './commands/token';
import { addTourCommand } from './commands/tour';
import { addUpCommand } from './commands/up';
import { UsageError } from './data-folder';
import { say } from './terminal';

const program = new Command('attest')
  .description('The system of record for workplace learning.')
  .showHelpAfterError()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

addUpCommand(program);
addImportCommands(program);
addReportCommands(program);
addAuditCommands(program);
addProjectionsCommands(program);
addPrivacyCommands(program);
addScenarioCommands(program);
addTourCommand(program);
addTokenCommand(program);

program
  .parseAsync()
  .catch((error: unknown) => {
    const isPlain = error instanceof UsageError || error instanceof EngineStartError || error instanceof ProblemError;
    say(isPlain ? `attest: ${error.message}` : String((error as Error).stack ?? error));
    process.exitCode = isPlain ? 2 : 1;
  })
  // The event store's client keeps its channel open, which would keep the process alive.
  .finally(() => process.exit());
