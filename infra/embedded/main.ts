/**
 * One embedded engine as a process of its own: `node dist/infra/embedded/main.js ENGINE --data DIR [--port N] [--nice N]`.
 * Prints one JSON line `{"ready":true,"url":...,"port":...}` when it answers, or `{"ready":false,"error":...}` and exits 1.
 * Ends cleanly on SIGINT, SIGTERM, or when the process that forked it is gone.
 */
import { parseArgs } from 'node:util';
import { beNice } from './niceness';
import { type Engine, type EngineOptions, EngineStartError, refuseBeyondLoopback } from './engine';

const engines: Record<string, () => Promise<(options: EngineOptions) => Promise<Engine>>> = {
  eventstore: async () => (await import('./eventstore/index.js')).startEventStore,
  mongodb: async () => (await import('./mongo/index.js')).startMongo,
  clickhouse: async () => (await import('./clickhouse/index.js')).startClickHouse,
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      nice: { type: 'string', default: '0' },
      help: { type: 'boolean' },
    },
  });
  const load = engines[positionals[0] ?? ''];
  if (values.help || !load || !values.data) {
    process.stderr.write(`usage: main.js ${Object.keys(engines).join('|')} --data DIR [--port N] [--nice N]\n`);
    process.exit(values.help ? 0 : 2);
  }
  refuseBeyondLoopback(values.host);
  beNice(Number(values.nice));
  const start = await load();
  const engine = await start({ dataDir: values.data, port: Number(values.port) });

  let closing = false;
  const stop = (): void => {
    if (closing) return;
    closing = true;
    engine.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  announce({ ready: true, url: engine.url, port: engine.port });
}

function announce(message: { ready: true; url: string; port: number } | { ready: false; error: string }): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
  process.send?.(message);
}

main().catch((error: unknown) => {
  const known = error instanceof EngineStartError;
  announce({ ready: false, error: known ? error.message : String((error as Error).stack ?? error) });
  process.exit(1);
});
