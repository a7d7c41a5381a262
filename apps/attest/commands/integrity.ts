import type { Command } from 'commander';
import type { VerificationResult } from '../../audit/verify';
import type { AnswerLine } from '../../shared/long-answers';
import { DataFolder, UsageError } from '../data-folder';
import { answer, table } from '../terminal';
import { type Common, command, connect, tenantOption } from './command';
import { withProgress } from './with-progress';

export function addIntegrityCommands(auditing: Command): void {
  command(auditing, 'verify', 'check that the log is what was written; exit 1 and the first bad event when it is not')
    .addOption(tenantOption('acme'))
    .option('--stream <name>', 'only this stream')
    .option('--everything', 'all tenants, straight from the event store: for whoever runs Attest')
    .action(async (options: Common & { stream?: string; everything?: boolean }) => {
      const result = await withProgress('Verifying', options.everything ? everything(options) : ofTenant(options));
      answer(result, Boolean(options.json), () => describe(result));
      if (!result.ok) process.exitCode = 1;
    });

  command(auditing, 'rotate-key', 'make a new key to seal with; the next seal of each tenant hands over to it').action(
    async (options: Common) => {
      if (process.env.ATTEST_SEAL_KEY) {
        throw new UsageError(
          'The key comes from ATTEST_SEAL_KEY: set it to the new key, and ATTEST_SEAL_KEY_PREVIOUS to the old one.',
        );
      }
      const { rotateKeyFile } = await import('../../../packages/evidence/index.js');
      const { previous, current } = rotateKeyFile(new DataFolder(options.data).sealKeys);
      const keys = [
        { kid: current.kid, seals: 'from now on' },
        { kid: previous.kid, seals: 'until now' },
      ];
      answer({ previous, current }, Boolean(options.json), () => table(keys));
    },
  );
}

async function* ofTenant(options: Common & { stream?: string }): AsyncGenerator<AnswerLine<VerificationResult>> {
  const client = await connect(options, 'compliance');
  yield* client.lines<AnswerLine<VerificationResult>>('/v1/audit/verify', { stream: options.stream });
}

async function* everything({ data }: Common): AsyncGenerator<AnswerLine<VerificationResult>> {
  const { verifyEverything } = await import('../verify-everything.js');
  yield* verifyEverything(new DataFolder(data));
}

function describe(result: VerificationResult): string {
  const { ok, keysKnown, events, read, seconds, eventsPerSecond, tenants } = result;
  const rows = tenants.map(({ tenant, events: count, streams, seals, sealed, unsealed, findings }) => ({
    tenant,
    events: count,
    streams,
    seals,
    sealed: sealed?.size ?? 0,
    unsealed,
    findings,
  }));
  const bad = tenants.flatMap(({ listed }) => listed).map(({ tenant: _, ...finding }) => finding);
  const seals = tenants.reduce((sum, tenant) => sum + tenant.seals, 0);
  const waiting = tenants.reduce((sum, { unsealed }) => sum + unsealed, 0);
  return [
    table(rows),
    ...(bad.length > 0 ? [`First of what is wrong:\n\n${table(bad.slice(0, 10))}`] : []),
    ...(waiting > 0
      ? [`${waiting} events are not sealed yet: only the hash chain of their stream speaks for them.`]
      : []),
    ...(keysKnown ? [] : ['No key is known here, so whoever rewrote the log could have sealed it anew.']),
    `${ok ? 'Everything holds' : 'The log is not what was written'}: ${events} events.`,
    `Read in ${seconds.toFixed(1)} s, ${eventsPerSecond}/s: the events, ${seals} seals and ${read - events - seals} keys of people.`,
  ].join('\n\n');
}
