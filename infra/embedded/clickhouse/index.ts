/** ClickHouse's HTTP interface on loopback over chdb, the real engine in this process. See README.md. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Engine, type EngineOptions, EngineStartError } from '../engine';
import { Admission } from './admission';
import { Connection } from './connection';
import { openDataFolder } from './data-folder';
import { answer } from './http-door';
import { HttpSessions } from './http-sessions';

/** Queries that run at once; the others wait their turn. Each uses as many threads as it finds. */
const READS = 6;
/** Inserts have places of their own, so that reports do not starve the loader. */
const WRITES = 2;

/**
 * Starts the engine on 127.0.0.1. chdb keeps one data folder per process, so this is meant for a process of its own.
 * @throws EngineStartError when the folder is foreign, damaged or in use, or the port is taken; nothing is touched then
 */
export async function startClickHouse({ dataDir, port: wanted }: EngineOptions): Promise<Engine> {
  const server = createServer({ keepAliveTimeout: 30_000, requestTimeout: 0 });
  const port = await listen(server, wanted);
  let stop: () => void;
  try {
    const folder = openDataFolder(dataDir);
    try {
      // Held open for as long as the engine runs: the database is unloaded with its last connection.
      const root = new Connection(folder.data);
      await root.run('CREATE DATABASE IF NOT EXISTS default', 'TabSeparated');
      folder.ready();
      const sessions = new HttpSessions(folder.data);
      const engine = { folder, sessions, reads: new Admission(READS), writes: new Admission(WRITES) };
      server.on('request', (request, response) => void answer(engine, request, response));
      stop = () => {
        sessions.close();
        root.close();
        folder.release();
      };
    } catch (error) {
      folder.release();
      throw new EngineStartError(
        `The embedded ClickHouse cannot open ${dataDir}: ${(error as Error).message.split('\n')[0]}`,
      );
    }
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
      stop();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new EngineStartError(`Port ${port} for ClickHouse is in use; free it or choose another.`);
  }
  return (server.address() as AddressInfo).port;
}
