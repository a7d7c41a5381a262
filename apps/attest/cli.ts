#!/usr/bin/env node
import { Command } from 'commander';
import { EngineStartError } from '../../infra/embedded/engine';
import { UsageError } from './data-folder';
import { say } from './terminal';

type Adding = (program: Command) => void;

/** Each is read only where it is asked for: what all of them need together is most of what a short one would cost. */
const COMMANDS: Readonly<Record<string, () => Promise<Adding>>> = {
  up: async () => (await import('./commands/up.js')).addUpCommand,
  import: async () => (await import('./commands/import.js')).addImportCommands,
  report: async () => (await import('./commands/report.js')).addReportCommands,
  audit: async () => (await import('./commands/audit.js')).addAuditCommands,
  projections: async () => (await import('./commands/projections.js')).addProjectionsCommands,
  privacy: async () => (await import('./commands/privacy.js')).addPrivacyCommands,
  scenario: async () => (await import('./commands/scenario.js')).addScenarioCommands,
  tour: async () => (await import('./commands/tour.js')).addTourCommand,
  token: async () => (await import('./commands/token.js')).addTokenCommand,
};

const program = new Command('attest')
  .description('The system of record for workplace learning.')
  .showHelpAfterError()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) });

run()
  .catch(async (error: unknown) => {
    const { ProblemError } = await import('./client.js');
    const isPlain = error instanceof UsageError || error instanceof EngineStartError || error instanceof ProblemError;
    say(isPlain ? `attest: ${error.message}` : String((error as Error).stack ?? error));
    process.exitCode = isPlain ? 2 : 1;
  })
  // The event store's client keeps its channel open, which would keep the process alive.
  .finally(() => process.exit());

/** Whoever asks for none of the commands is told of all. */
async function run(): Promise<void> {
  const asked = process.argv[2] ?? '';
  const loading = Object.hasOwn(COMMANDS, asked) ? [COMMANDS[asked]!] : Object.values(COMMANDS);
  for (const load of loading) (await load())(program);
  await program.parseAsync(process.argv, { from: 'node' });
}
