import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder } from '../../apps/attest/data-folder';
import { startOnce } from '../start-once';
import { ReachableStack, spawnAttest, untilReady } from './reachable-stack';

/**
 * The stack that files share. The first that asks starts it; it runs until the last file of all has ended.
 * @throws Error when it has ended, by what a file did to it
 */
export async function sharedStack(): Promise<ReachableStack> {
  const data = join(process.env.ATTEST_TEST_STACKS!, 'shared');
  const log = (): string => readFileSync(join(data, 'stderr.log'), 'utf8');
  await startOnce(data, () => start(data, log));
  const running = new DataFolder(data).running();
  if (!running) throw new Error(`the shared stack has ended:\n${log()}`);
  return ReachableStack.at(running.pid, data, running, log);
}

/** Outlives the file that starts it, and what that has loaded: nothing of it may hold on to the process. */
async function start(data: string, log: () => string): Promise<void> {
  const stderr = openSync(join(data, 'stderr.log'), 'a');
  const args = ['up', '--json', '--port', '0', '--no-sample'];
  const stack = spawnAttest(
    args,
    { ATTEST_DATA: data, ATTEST_SEAL_SECONDS: '1' },
    { stdio: ['ignore', 'pipe', stderr] },
  );
  closeSync(stderr);
  await untilReady(stack, log);
  stack.stdout!.destroy();
  stack.removeAllListeners();
  stack.unref();
}
