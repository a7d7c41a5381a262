import type { Command } from 'commander';
import { findStack } from '../client';
import { UsageError } from '../data-folder';
import type { ImportSummary } from '../import/import-tally';
import { answer, progressBar, table } from '../terminal';
import { type Common, command, connect, NO_NATS, tenantOption } from './command';

export function addImportCommands(program: Command): void {
  const importing = program.command('import').description('bring in real data through the public doors');

  command(importing, 'oulad <dir>', 'the Open University Learning Analytics Dataset, over HTTP')
    .addOption(tenantOption('ou'))
    .action(async (folder: string, options: Common) => {
      const { importOulad, OULAD_SETUP, countOulad } = await import('../import/oulad.js');
      const client = await connect(options, 'admin');
      const bar = progressBar('Importing OULAD', await countOulad(folder));
      const summary = await importOulad(client, options.tenant, folder, bar.advance);
      bar.stop();
      answerImport(summary, options, OULAD_SETUP);
    });

  command(importing, 'employees <dir>', 'the employees data, published on NATS as the HRIS would')
    .addOption(tenantOption('acme'))
    .action(async (folder: string, options: Common) => {
      const { importEmployees } = await import('../import/employees.js');
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
}

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
