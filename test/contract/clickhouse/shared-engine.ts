import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngineProcess } from '../../../infra/embedded/child';
import { startOnce } from '../../start-once';

/** Of an engine that is running, as it stands in its folder. */
export interface SharedEngine {
  readonly pid: number;
  readonly url: string;
}

/**
 * The ClickHouse that files share, each in databases of its own. The first that asks starts it; it ends with the worker of Jest that did, which is when
 * the last file of all has ended. chdb has one data folder per process and takes half a second to load.
 */
export async function sharedClickHouse(): Promise<string> {
  const folder = join(process.env.ATTEST_TEST_ENGINES!, 'shared');
  await startOnce(folder, () => start(folder));
  return sharedEngineIn(folder).url;
}

export function sharedEngineIn(folder: string): SharedEngine {
  return JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as SharedEngine;
}

/** Outlives the file that starts it, and what that has loaded: nothing of it may hold on to the process. */
async function start(folder: string): Promise<void> {
  const { url, process: child } = await startEngineProcess('clickhouse', { dataDir: join(folder, 'data'), port: 0 });
  writeFileSync(join(folder, 'running.json'), JSON.stringify({ pid: child.pid!, url } satisfies SharedEngine));
  child.removeAllListeners();
  child.channel!.unref();
  child.unref();
}
