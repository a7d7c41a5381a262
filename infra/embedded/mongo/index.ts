import { type Engine, type EngineOptions } from '../engine';
import { Catalog } from './storage/catalog';
import { type Services } from './commands/command';
import { Dispatcher } from './commands/dispatch';
import { Cursors } from './query/cursors';
import { Maintenance } from './storage/maintenance';
import { takeFolder } from './storage/data-folder';
import { WireServer } from './wire/server';
import { Store } from './storage/store';

/**
 * Starts the embedded MongoDB engine: the wire protocol on 127.0.0.1 over LMDB in `dataDir`.
 * @throws EngineStartError when the folder is foreign, damaged or in use, or the port is taken.
 */
export async function startMongo(options: EngineOptions): Promise<Engine> {
  const folder = takeFolder(options.dataDir);
  // In the order in which they are opened; closed in the opposite one, also when the start fails half-way.
  const opened: (() => void | Promise<void>)[] = [() => folder.release()];
  const close = async (): Promise<void> => {
    for (let next = opened.pop(); next; next = opened.pop()) await next();
  };
  try {
    const store = new Store(folder.databasePath);
    opened.push(() => store.close());
    const cursors = new Cursors();
    opened.push(() => cursors.close());
    const catalog = new Catalog(store);
    await store.write(() => undefined);
    folder.ready();
    const maintenance = new Maintenance(store, catalog);
    opened.push(() => maintenance.close());
    const services: Services = { store, catalog, cursors, maintenance, port: options.port, startedAt: new Date() };
    const server = new WireServer(new Dispatcher(services));
    services.port = await server.listen(options.port);
    opened.push(() => server.close());
    return { url: `mongodb://127.0.0.1:${services.port}`, port: services.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}
