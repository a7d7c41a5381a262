import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder } from '../../apps/attest/data-folder';
import { ReachableStack, spawnAttest, untilReady } from './reachable-stack';

/**
 * The stack of this worker of Jest, which runs one file of tests at a time. The first file that asks starts it; it runs until the last
 * file of all has ended.
 * @throws Error when it has ended, by what an earlier file did to it
 */
export async function sharedStack(): Promise<ReachableStack> {
  const { ATTEST_TEST_STACKS: folder, JEST_WORKER_ID: worker } = process.env;
  const data = join(folder!, worker!);
  const log = (): string => readFileSync(join(data, 'stderr.log'), 'utf8');
  if (!existsSync(data)) await start(data, log);
  const running = new DataFolder(data).running();
  if (!running) throw new Error(`the shared stack has ended:\n${log()}`);
  return ReachableStack.at(running.pid, data, running, log);
}

/** Outlives the file that starts it, and what that has loaded: nothing of it may hold on to the process. */
async function start(data: string, log: () => string): Promise<void> {
  mkdirSync(data);
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
