/** The embedded EventStoreDB: one insecure node on loopback, stored in LMDB. See README.md. */
import { randomUUID } from 'node:crypto';
import { type Engine, type EngineOptions, EngineStartError } from '../engine';
import { persistentSubscriptionServices } from './persistent/service';
import { PersistentSubscriptions } from './persistent/subsystem';
import { featuresMethod, gossipMethod } from './server-info';
import { type DataFolder, openDataFolder } from './storage/data-folder';
import { StreamHeads } from './storage/head';
import { scavengeMethod } from './storage/scavenge';
import { Writer } from './storage/writer';
import { appendMethod, deleteMethod } from './streams/append';
import { batchAppendMethod } from './streams/batch-append';
import { CommitFeed } from './streams/commit-feed';
import { readMethod } from './streams/read';
import { Reader } from './streams/reader';
import { GrpcError, Status } from './wire/grpc-error';
import { GrpcServer, type Services } from './wire/server';

/**
 * Starts the engine on 127.0.0.1.
 * @throws EngineStartError when the folder is foreign, damaged or in use, or the port is taken; nothing is touched then
 */
export async function startEventStore({ dataDir, port: wantedPort }: EngineOptions): Promise<Engine> {
  const server = new GrpcServer();
  // The port comes first, so that a taken one leaves the folder alone. Everything up to `serve` is synchronous: no call can
  // arrive before its service is there.
  const port = await server.listen(wantedPort).catch((error: unknown) => {
    throw portError(error, wantedPort);
  });
  let folder: DataFolder;
  try {
    folder = openDataFolder(dataDir);
  } catch (error) {
    await server.close();
    throw error;
  }
  const { store } = folder;
  const heads = new StreamHeads(store);
  const writer = new Writer(store, heads);
  const reader = new Reader(store, heads);
  const feed = new CommitFeed(writer);

  const subscriptions = new PersistentSubscriptions(store, writer, reader, feed);

  const services: Services = {
    ...persistentSubscriptionServices(subscriptions),
    '/event_store.client.streams.Streams/Read': readMethod(reader, feed),
    '/event_store.client.streams.Streams/Append': appendMethod(writer),
    '/event_store.client.streams.Streams/BatchAppend': batchAppendMethod(writer),
    '/event_store.client.streams.Streams/Delete': deleteMethod(writer, true),
    '/event_store.client.streams.Streams/Tombstone': deleteMethod(writer, false),
    '/event_store.client.operations.Operations/StartScavenge': scavengeMethod(store, heads, writer),
    '/event_store.client.gossip.Gossip/Read': gossipMethod(randomUUID(), port),
  };
  services['/event_store.client.server_features.ServerFeatures/GetSupportedMethods'] = featuresMethod(services);
  server.serve(services);

  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    async close() {
      server.stopAccepting();
      await subscriptions.close(new GrpcError(Status.UNAVAILABLE, 'The server is shutting down'));
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
