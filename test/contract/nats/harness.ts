import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Engine } from '../../../infra/embedded/engine';
import { startNats } from '../../../infra/embedded/nats';

/** The server under contract: the supervised nats-server, or the one that ATTEST_TEST_NATS_URL names. */
export interface Server {
  url: string;
  nats: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
  /** A name that no other test uses, for a stream, a subject or a queue. */
  name(prefix: string): string;
}

/** Starts the server before the tests of a file, and removes it and every stream of these tests afterwards. */
export function server(): Server {
  const started = {} as Server;
  const run = randomBytes(4).toString('hex');
  let engine: Engine | undefined;
  let dataDir: string | undefined;
  let next = 0;

  beforeAll(async () => {
    const external = process.env.ATTEST_TEST_NATS_URL;
    if (!external) {
      dataDir = await mkdtemp(join(tmpdir(), 'attest-nats-contract-'));
      engine = await startNats({ dataDir, port: 0 });
    }
    started.url = external ?? engine!.url;
    started.nats = await connect({ servers: started.url });
    started.js = jetstream(started.nats, { timeout: 100_000 });
    started.manager = await jetstreamManager(started.nats, { timeout: 100_000 });
    started.name = (prefix) => `${prefix}_${run}_${next++}`;
  });

  afterAll(async () => {
    for await (const name of started.manager.streams.names()) {
      if (name.includes(`_${run}_`)) await started.manager.streams.delete(name);
    }
    await started.nats.close();
    await engine?.close();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  return started;
}
