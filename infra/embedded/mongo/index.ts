import { type Engine, type EngineOptions } from '../engine';
import { Catalog } from './storage/catalog';
import { type Services } from './commands/command';
import { Dispatcher } from './commands/dispatch';
import { Cursors } from './query/cursors';
import { takeFolder } from './storage/data-folder';
import { WireServer } from './wire/server';
import { Store } from './storage/store';

/**
 * Starts the embedded MongoDB engine: the wire protocol on 127.0.0.1 over LMDB in `dataDir`.
 * @throws EngineStartError when the folder is foreign, damaged or in use, or the port is taken.
 */
export async function startMongo(options: EngineOptions): Promise<Engine> {
  const folder = takeFolder(options.dataDir);
  let store: Store | undefined;
  try {
    store = new Store(folder.databasePath);
    const services: Services = {
      store,
      catalog: new Catalog(store),
      cursors: new Cursors(),
      port: options.port,
      startedAt: new Date(),
    };
    await store.write(() => undefined);
    folder.ready();
    const server = new WireServer(new Dispatcher(services));
    services.port = await server.listen(options.port);
    return {
      url: `mongodb://127.0.0.1:${services.port}`,
      port: services.port,
      close: async () => {
        await server.close();
        services.cursors.close();
        await services.store.close();
        folder.release();
      },
    };
  } catch (error) {
    await store?.close();
    folder.release();
    throw error;
  }
}
