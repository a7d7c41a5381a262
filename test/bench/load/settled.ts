import type { Status } from '../../../apps/reports/status.controller';
import { until } from '../../e2e/until';
import type { SplitStack } from '../../split/split-stack';

const PATIENCE = 600_000;

/** Resolves when everything that reads the log has seen all of it, so that nothing is left to do for the next measurement. */
export async function settled(stack: SplitStack, tenant: string): Promise<string> {
  const audit = await stack.as('admin', 'audit', tenant);
  let log = '';
  await until(async () => {
    const status = await audit.read<Status>('/v1/status');
    log = status.log;
    return Object.values(status.consumers).every((position) => BigInt(position) >= BigInt(log));
  }, PATIENCE);
  return log;
}
