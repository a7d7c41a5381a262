import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Role, ROLES } from '../../../packages/commands/role';
import { tokenFor } from '../client';
import { DataFolder } from '../data-folder';
import { answer } from '../terminal';
import { type Common, command, tenantOption } from './command';

export function addTokenCommand(program: Command): void {
  command(program, 'token', 'sign a short-lived token with the local issuer')
    .addOption(tenantOption('ou'))
    .addOption(new Option('--role <role>', 'what the token allows').choices(ROLES).default('admin'))
    .option('--sub <id>', 'who it is for: the person id of a learner or manager (default: the role)')
    .addOption(
      new Option('--expires-in <time>', 'how long it is good for, for example 15m or 8h')
        .default('1h')
        .argParser(parseDuration),
    )
    .action(async (options: Common & { role: Role; sub?: string; expiresIn: string }) => {
      const { tenant, role, sub, expiresIn } = options;
      const token = await tokenFor(new DataFolder(options.data), tenant, role, sub, expiresIn);
      answer({ tenant, role, sub: sub ?? role, expiresIn, token }, Boolean(options.json), () => token);
    });
}

function parseDuration(text: string): string {
  if (/^[1-9]\d{0,5} ?[smhd]$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a number with its unit, such as 90s, 15m, 8h or 1d.');
}
