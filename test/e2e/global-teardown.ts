import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder } from '../../apps/attest/data-folder';
import { sharedEngineIn } from '../contract/clickhouse/shared-engine';
import { childrenOf, gone } from './processes';

/** After the last test: stops the stack and the engine that were shared. @throws Error when the stack had ended before */
export default async function tearDown(): Promise<void> {
  const { ATTEST_TEST_STACKS: stacks, ATTEST_TEST_ENGINES: engines } = process.env;
  for (const [folder, end] of [
    [stacks!, stop],
    [engines!, endEngine],
  ] as const) {
    await Promise.all(readdirSync(folder).map((name) => end(join(folder, name))));
    rmSync(folder, { recursive: true });
  }
}

/** One that a worker started ends with it; where Jest has no workers, it is running still. */
async function endEngine(folder: string): Promise<void> {
  const { pid } = sharedEngineIn(folder);
  if (childrenOf(process.pid).some((child) => child.pid === pid)) process.kill(pid, 'SIGTERM');
  await gone([{ pid }]);
}

async function stop(data: string): Promise<void> {
  const running = new DataFolder(data).running();
  if (!running)
    throw new Error(`the shared stack had ended before:\n${readFileSync(join(data, 'stderr.log'), 'utf8')}`);
  const processes = [running, ...childrenOf(running.pid)];
  process.kill(running.pid, 'SIGINT');
  await gone(processes);
}
