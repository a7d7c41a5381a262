import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngineProcess } from '../../../infra/embedded/child';

/** Of an engine that is running, as it stands in its folder. */
export interface SharedEngine {
  readonly pid: number;
  readonly url: string;
}

/**
 * The ClickHouse of this worker of Jest, which runs one file of tests at a time, each in databases of its own. The first file that asks starts it; it
 * ends with the worker. chdb has one data folder per process and takes half a second to load.
 */
export async function sharedClickHouse(): Promise<string> {
  const { ATTEST_TEST_ENGINES: folder, JEST_WORKER_ID: worker } = process.env;
  const own = join(folder!, worker!);
  if (!existsSync(own)) await start(own);
  return sharedEngineIn(own).url;
}

export function sharedEngineIn(folder: string): SharedEngine {
  return JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as SharedEngine;
}

/** Outlives the file that starts it, and what that has loaded: nothing of it may hold on to the process. */
async function start(folder: string): Promise<void> {
  mkdirSync(folder);
  const { url, process: child } = await startEngineProcess('clickhouse', { dataDir: join(folder, 'data'), port: 0 });
  writeFileSync(join(folder, 'running.json'), JSON.stringify({ pid: child.pid!, url } satisfies SharedEngine));
  child.removeAllListeners();
  child.channel!.unref();
  child.unref();
}
