import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder } from '../../apps/attest/data-folder';
import { childrenOf, gone } from './processes';

/** After the last test: stops the stacks that were shared. @throws Error when one had ended before */
export default async function tearDown(): Promise<void> {
  const folder = process.env.ATTEST_TEST_STACKS!;
  await Promise.all(readdirSync(folder).map((worker) => stop(join(folder, worker))));
  rmSync(folder, { recursive: true });
}

async function stop(data: string): Promise<void> {
  const running = new DataFolder(data).running();
  if (!running) throw new Error(`a shared stack had ended before:\n${readFileSync(join(data, 'stderr.log'), 'utf8')}`);
  const processes = [running, ...childrenOf(running.pid)];
  process.kill(running.pid, 'SIGINT');
  await gone(processes);
}
