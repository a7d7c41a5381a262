import { type Command, Option } from 'commander';
import type { Role } from '../../../packages/commands';
import type { ScopeKind } from '../../audit/scope-kinds';
import { AttestClient, findStack, tokenFor } from '../client';
import { progressBar } from '../terminal';

/** The options that every command takes, and the tenant where there is one. */
export interface Common {
  readonly data?: string;
  readonly json?: boolean;
  readonly tenant: string;
}

/** A command with the options that all have. */
export function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'one JSON value on stdout, everything for people on stderr')
    .option('--data <dir>', 'the data folder (default: ATTEST_DATA, or .attest)');
}

export function tenantOption(fallback: string): Option {
  return new Option('--tenant <name>', 'the tenant').default(fallback);
}

/** What each scope of the audit limits it to. */
export const SCOPE_TEXTS: Readonly<Record<ScopeKind, string>> = {
  person: 'only this person',
  team: 'only the people who report to this manager, as of the date',
  course: 'only this course',
  enrollment: 'only this enrollment',
  attempt: 'only this attempt',
};

export const asOfOption = ['--as-of <date>', 'as of this date (its end, UTC) or time, ISO 8601'] as const;

export const knownAtOption = [
  '--known-at <position>',
  'as it was known at this log position, or by this date or time of recording',
] as const;

export const NO_NATS = 'NATS does not run: install nats-server and start Attest again, or set ATTEST_NATS_URL.';

/** A client of the running stack. @throws UsageError when there is none */
export async function connect({ data: path, tenant }: Common, role: Role): Promise<AttestClient> {
  const { data, api } = findStack(path);
  return new AttestClient(api, await tokenFor(data, tenant, role));
}

/** How long nothing is said of a read side that is behind, in milliseconds. */
const PATIENCE = 2_000;

/** Waits until the read side has everything that was sent, with a progress bar where that takes long. */
export async function settled(client: AttestClient): Promise<void> {
  const since = Date.now();
  let bar: ReturnType<typeof progressBar> | undefined;
  let shown = 0;
  await client.settled((reached, target) => {
    if (Date.now() - since < PATIENCE) return;
    bar ??= progressBar('Waiting for the read side', Number(target));
    bar.advance(Number(reached) - shown);
    shown = Number(reached);
  });
  bar?.stop();
}
