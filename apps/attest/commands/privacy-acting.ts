import { type Command, Option } from 'commander';
import type { Role } from '../../../packages/commands';
import type { CommandAnswer } from '../../shared/command-dispatcher';
import { AttestClient, findStack, tokenFor } from '../client';
import { type Common, command, tenantOption } from './command';

/** In whose name a command of privacy is sent. */
export interface Acting extends Common {
  readonly role: Role;
  readonly sub?: string;
}

export const reasonOption = ['--reason <text>', 'why; kept for ever, so it must not name the person'] as const;

/** A command in somebody's name: `--sub` says whose, where the local issuer signs. */
export function acting(parent: Command, usage: string, description: string, role: Role): Command {
  return command(parent, usage, description)
    .addOption(tenantOption('acme'))
    .addOption(new Option('--role <role>', 'act in this role').choices(['compliance', 'admin']).default(role))
    .option('--sub <id>', 'act as this person (default: the role)');
}

export async function clientFor({ data: path, tenant, role, sub }: Acting): Promise<AttestClient> {
  const { data, api } = findStack(path);
  return new AttestClient(api, await tokenFor(data, tenant, role, sub));
}

export function describeResult({ events, outcome }: CommandAnswer): string {
  return outcome === 'accepted' ? events.join(', ') : 'known already; nothing changed';
}
