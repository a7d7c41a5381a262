import { writeSync } from 'node:fs';
import type { Command } from 'commander';
import type { ExportResult } from '../../audit/export';
import type { ExportLine } from '../../audit/export.controller';
import { type ScopeKind, SCOPES } from '../../audit/scope-kinds';
import { answer, table } from '../terminal';
import { type Common, command, connect, SCOPE_TEXTS, tenantOption } from './command';
import { wholeFile } from './whole-file';
import { withProgress } from './with-progress';

type Options = Common & { [Kind in ScopeKind]?: string } & { auditLog?: boolean; personal?: boolean; out?: string };

export function addExportCommand(auditing: Command): void {
  const exporting = command(
    auditing,
    'export',
    'write an evidence bundle: one file that proves itself to somebody who trusts nobody here',
  ).addOption(tenantOption('acme'));
  for (const kind of SCOPES) exporting.option(`--${kind} <id>`, SCOPE_TEXTS[kind]);
  exporting
    .option('--audit-log', 'who looked at what in the audit')
    .option('--personal', 'personal data in clear as well, where its keys exist; noted with each person')
    .option('--out <file>', 'the file (default: evidence-<tenant>.tar)')
    .action(async (options: Options) => {
      const file = options.out ?? `evidence-${options.tenant}.tar`;
      const client = await connect(options, 'compliance');
      const scope = Object.fromEntries(SCOPES.map((kind) => [kind, options[kind]]));
      const flags = {
        auditLog: options.auditLog ? 'true' : undefined,
        personal: options.personal ? 'true' : undefined,
      };
      const lines = client.lines<ExportLine>('/v1/audit/export', { ...scope, ...flags });
      const result = await wholeFile(
        file,
        (handle) => withProgress('Exporting', lines, ({ bytes }) => writeSync(handle, Buffer.from(bytes, 'base64'))),
        0o600,
      );
      answer({ file, ...result }, Boolean(options.json), () => describe(file, result));
    });
}

function describe(file: string, { events, upTo, complete, personal, digest, keys }: ExportResult): string {
  const named = keys.map((kid) => ` --key ${kid}`).slice(-1);
  return [
    table([{ file, events, upTo, complete, personal }]),
    `digest ${digest}, recorded and sealed in the log`,
    `Check it, here or on any machine with Node.js, with packages/evidence/verify-bundle.cjs alone:\n\n  node verify-bundle.cjs ${file}${named.join('')}`,
    'Whoever is to believe it must have the program and the fingerprint of the key from elsewhere than from the file and from you.',
  ].join('\n\n');
}
