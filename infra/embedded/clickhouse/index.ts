/** ClickHouse's HTTP interface on 127.0.0.1 over chdb, which is ClickHouse itself in this process. See README.md. */
import type { Server } from 'node:http';
import { type Engine, type EngineOptions, EngineStartError } from '../engine';
import { Connection } from './engine/chdb';
import { configure } from './engine/configuration';
import { type DataFolder, openDataFolder } from './engine/data-folder';
import { Pipes } from './engine/pipes';
import { QueryRunner } from './engine/query';
import { listen, portOf, serve } from './http/server';

/** chdb runs each query on a thread of libuv's pool, and files and compression need some too. */
const POOL = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
const PLACES = Math.min(Math.max(POOL - 4, 2), 10);

/**
 * Starts the engine. chdb keeps one data folder per process, so this is meant for a process of its own.
 * @throws EngineStartError when the port is taken, or the folder is foreign, damaged or in use; nothing is touched then
 */
export async function startClickHouse({ dataDir, port }: EngineOptions): Promise<Engine> {
  const server = await listen(port);
  try {
    const folder = openDataFolder(dataDir);
    try {
      return await start(server, folder);
    } catch (error) {
      folder.release();
      const [reason] = (error as Error).message.split('\n');
      throw new EngineStartError(`The data folder ${dataDir} cannot be opened by the embedded ClickHouse: ${reason}.`);
    }
  } catch (error) {
    server.close();
    throw error;
  }
}

async function start(server: Server, folder: DataFolder): Promise<Engine> {
  // Held open for as long as the engine runs: the database is unloaded with its last connection.
  const root = new Connection(folder.data, configure(folder.path));
  const about = await root.query('SELECT version(), timezone()', 'TabSeparated');
  const [version = '', timezone = ''] = about.bytes.toString().trim().split('\t');
  const formats = await root.query('SELECT name, content_type FROM system.formats', 'TabSeparated');
  const contentTypes = new Map(
    formats.bytes
      .toString()
      .split('\n')
      .map((line) => line.split('\t') as [string, string]),
  );
  const runner = new QueryRunner(folder.data, await Pipes.make(folder.spool, PLACES), PLACES);
  folder.ready();
  const stopServing = serve(server, { runner, spoolFolder: folder.spool, version, timezone, contentTypes });
  const port = portOf(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      await stopServing();
      runner.close();
      root.close();
      folder.release();
    },
  };
}
