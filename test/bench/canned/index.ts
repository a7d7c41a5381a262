/**
 * What an official client can do at most on this machine: the same calls against a server, in a process of its own, that decides and
 * keeps nothing and answers with bytes made beforehand. It shares no code with the engines, so making them slower does not make it slower.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { cannedEventStore } from './eventstore';
import { cannedMongo } from './mongo';

const SERVERS: Readonly<Record<string, () => Server>> = { eventstore: cannedEventStore, mongodb: cannedMongo };
/** What `main.js` is started with to serve canned answers for one engine. */
export const CANNED = '--canned';

export interface CannedServer {
  /** `127.0.0.1:PORT` */
  address: string;
  close(): Promise<void>;
}

/** Starts a canned server in a process of its own. */
export async function startCanned(engine: string): Promise<CannedServer> {
  const child = fork(join(__dirname, '../main.js'), [CANNED, engine], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const port = await Promise.race([
    once(child, 'message').then(([message]) => message as number),
    exited.then(([code]) => Promise.reject(new Error(`The canned server for ${engine} ended (exit code ${code}).`))),
  ]);
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      child.kill();
      await exited;
    },
  };
}

/** In the process that `startCanned` forks. Ends with the process that forked it. */
export async function serveCanned(engine: string): Promise<void> {
  const server = SERVERS[engine]!();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send!((server.address() as AddressInfo).port);
  await once(process, 'disconnect');
}
