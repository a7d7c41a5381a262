/** The embedded EventStoreDB: one insecure node on loopback, stored in LMDB. See README.md. */
import { randomUUID } from 'node:crypto';
import { type Engine, type EngineOptions, EngineStartError } from '../engine';
import { featuresMethod, gossipMethod } from './server-info';
import { openDataFolder } from './storage/data-folder';
import { StreamHeads } from './storage/head';
import { Writer } from './storage/writer';
import { appendMethod, deleteMethod } from './streams/append';
import { batchAppendMethod } from './streams/batch-append';
import { CommitFeed } from './streams/commit-feed';
import { readMethod } from './streams/read';
import { Reader } from './streams/reader';
import { GrpcServer, type Services } from './wire/server';

/**
 * Starts the engine on 127.0.0.1.
 * @throws EngineStartError when the folder is foreign, damaged or in use, or the port is taken; nothing is touched then
 */
export async function startEventStore({ dataDir, port: wantedPort }: EngineOptions): Promise<Engine> {
  const folder = openDataFolder(dataDir);
  const { store } = folder;
  const heads = new StreamHeads(store);
  const writer = new Writer(store, heads);
  const reader = new Reader(store, heads);
  const feed = new CommitFeed(writer);

  let port = wantedPort;
  const services: Services = {
    '/event_store.client.streams.Streams/Read': readMethod(reader, feed),
    '/event_store.client.streams.Streams/Append': appendMethod(writer),
    '/event_store.client.streams.Streams/BatchAppend': batchAppendMethod(writer),
    '/event_store.client.streams.Streams/Delete': deleteMethod(writer, true),
    '/event_store.client.streams.Streams/Tombstone': deleteMethod(writer, false),
    '/event_store.client.server_features.ServerFeatures/GetSupportedMethods': featuresMethod(() => services),
    '/event_store.client.gossip.Gossip/Read': gossipMethod(randomUUID(), () => port),
  };
  const server = new GrpcServer(services);
  try {
    port = await server.listen(wantedPort);
  } catch (error) {
    await folder.close();
    throw portError(error, wantedPort);
  }

  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    async close() {
      server.stopAccepting();
      await writer.settled();
      await server.close();
      await writer.settled();
      await folder.close();
    },
  };
}

function portError(error: unknown, port: number): Error {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error as Error;
  return new EngineStartError(`Port ${port} on 127.0.0.1 is in use: stop the other program or choose another port.`);
}
