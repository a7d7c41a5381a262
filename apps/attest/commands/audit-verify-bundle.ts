import { existsSync } from 'node:fs';
import { json } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { PublicSealKey } from '../../../packages/evidence';
import { describe, verifyBundle } from '../../../packages/evidence/verify-bundle.cjs';
import { DataFolder, UsageError } from '../data-folder';
import { request } from '../http';
import { answer } from '../terminal';
import { type Common, command } from './command';

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function addVerifyBundleCommand(auditing: Command): void {
  command(
    auditing,
    'verify-bundle <file>',
    'check an evidence bundle, without a running Attest; exit 1 when it does not hold',
  )
    .option(
      '--key <fingerprint>',
      'a key whose seals count (default: those that the Attest here publishes)',
      collect,
      [],
    )
    .action(async (file: string, options: Common & { key: readonly string[] }) => {
      if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
      const verdict = verifyBundle(file, options.key.length > 0 ? options.key : await publishedKeys(options));
      answer(verdict, Boolean(options.json), () => describe(verdict));
      if (!verdict.ok) process.exitCode = 1;
      else if (!verdict.keyNamed) process.exitCode = 3;
    });
}

/** Of the Attest that runs here; none when none does. */
async function publishedKeys({ data }: Common): Promise<string[]> {
  const api = process.env.ATTEST_URL ?? new DataFolder(data).running()?.api;
  if (!api) return [];
  const response = await request(new URL('/.well-known/attest-seal-keys.json', api));
  const { keys } = (await json(response)) as { keys: PublicSealKey[] };
  return keys.map(({ kid }) => kid);
}
