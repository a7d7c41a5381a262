import type { Command } from 'commander';
import { findStack } from '../client';
import { UsageError } from '../data-folder';
import { answer, say, table } from '../terminal';
import { describeExplanation } from './audit-why';
import { type Common, command, connect, NO_NATS, tenantOption } from './command';

export function addScenarioCommands(program: Command): void {
  const acting = program.command('scenario').description('act out what must always work, on the running Attest');

  command(acting, 'promotion', 'the HRIS promotes somebody of the sample: follow it to the last effect, and explain it')
    .addOption(tenantOption('acme'))
    .action(async (options: Common) => {
      const { promote } = await import('../promotion.js');
      const { nats } = findStack(options.data);
      if (!nats) throw new UsageError(NO_NATS);
      const scenario = await promote(await connect(options, 'compliance'), nats, options.tenant, say);
      answer(scenario, Boolean(options.json), () =>
        [
          table(scenario.effects),
          describeExplanation(scenario.why),
          `${scenario.milliseconds} ms from publish to last effect`,
        ].join('\n\n'),
      );
    });
}
