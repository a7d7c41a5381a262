import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Engine, EngineStartError, isLoopback, superviseEngine } from '../../infra/embedded';
import { startNats } from '../../infra/embedded/nats';
import { type IssuerSettings, LocalIssuer } from '../../packages/auth';
import {
  type MasterKey,
  masterKeysFrom,
  niceness,
  openMasterKeys,
  reconcileSeconds,
  sealSettings,
  type Settings,
  SettingsError,
} from '../../packages/config';
import { startService } from '../shared/bootstrap';
import { attestModules } from './attest.modules';
import { type DataFolder, type StackUrls, UsageError } from './data-folder';

export interface Stack {
  readonly urls: StackUrls;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly data: DataFolder;
  /** Port of the API; the engines take the next four. 0 takes free ports for everything. */
  readonly port: number;
  readonly report: (message: string) => void;
  /** Where the services' logs go; stderr when undefined. */
  readonly logFile?: string | undefined;
}

const HOST = process.env.ATTEST_HOST ?? '127.0.0.1';
/** Of the engines that are read from, beside the one that is written to. */
const NICE = 15;

/**
 * Every service in this process, on the embedded engines in processes of their own, or on real servers where an
 * `ATTEST_..._URL` names one.
 * @throws UsageError, EngineStartError with one sentence for the person at the terminal
 */
export async function startStack({ data, port, report, logFile }: StackOptions): Promise<Stack> {
  const release = data.claim();
  const engines: Engine[] = [];
  let app: NestFastifyApplication | undefined;
  const close = async (): Promise<void> => {
    data.withdraw();
    await app?.close();
    await Promise.all(engines.map((engine) => engine.close()));
    release();
  };
  try {
    await probe(port);
    const started = await Promise.allSettled([
      startEngine('eventstore', 'ATTEST_EVENTSTORE_URL', 1),
      startEngine('mongodb', 'ATTEST_MONGODB_URL', 2),
      startEngine('clickhouse', 'ATTEST_CLICKHOUSE_URL', 3),
      startNatsOrReport(),
    ]);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
    const [eventstore, mongodb, clickhouse, nats] = started.map(
      (each) => (each as PromiseFulfilledResult<string | null>).value,
    );
    if (engines.length > 0 && !isLoopback(HOST))
      report(`${HOST} is for the API; the embedded engines stay on 127.0.0.1.`);
    const issuer = await issuerSettings();
    const settings: Settings = {
      eventstore: eventstore!,
      mongodb: mongodb!,
      clickhouse: clickhouse!,
      nats: nats ?? undefined,
      issuer,
      masterKeys: masterKeys(),
      seals: sealSettings(process.env, data.sealKeys),
      reconcileSeconds: reconcileSeconds(process.env),
      logFile,
    };
    app = await startService(attestModules, settings, { host: HOST, port });
    const urls = {
      api: await app.getUrl(),
      clickhouse: clickhouse!,
      eventstore: eventstore!,
      mongodb: mongodb!,
      nats: nats ?? null,
    };
    data.announce(urls);
    return { urls, close };
  } catch (error) {
    await close();
    throw plainly(error, port);
  }

  async function startEngine(
    name: 'eventstore' | 'mongodb' | 'clickhouse',
    variable: string,
    offset: number,
  ): Promise<string> {
    const given = process.env[variable];
    if (given) return given;
    const nice = name === 'eventstore' ? 0 : readSideNiceness();
    const options = { dataDir: join(data.path, name), port: port === 0 ? 0 : port + offset, nice };
    const engine = await superviseEngine(name, options, report);
    engines.push(engine);
    return name === 'mongodb' ? `${engine.url}/attest` : engine.url;
  }

  async function startNatsOrReport(): Promise<string | null> {
    const given = process.env.ATTEST_NATS_URL;
    if (given) return given;
    try {
      const options = { dataDir: join(data.path, 'nats'), port: port === 0 ? 0 : port + 4, onProgress: report };
      const engine = await startNats(options);
      engines.push(engine);
      return engine.url;
    } catch (error) {
      if (!(error instanceof EngineStartError)) throw error;
      report(`${error.message} Attest runs without the NATS doors.`);
      return null;
    }
  }

  function readSideNiceness(): number {
    try {
      return niceness(process.env, NICE);
    } catch (error) {
      if (error instanceof SettingsError) throw new UsageError(error.message);
      throw error;
    }
  }

  function masterKeys(): readonly MasterKey[] {
    const { ATTEST_MASTER_KEY: given } = process.env;
    try {
      return given ? masterKeysFrom(given) : openMasterKeys(data.masterKeys);
    } catch (error) {
      if (error instanceof SettingsError || error instanceof RangeError) throw new UsageError(error.message);
      throw error;
    }
  }

  async function issuerSettings(): Promise<IssuerSettings> {
    const { ATTEST_JWKS_URL: jwks, ATTEST_ISSUER: issuer, ATTEST_AUDIENCE: audience = 'attest' } = process.env;
    if (jwks && issuer) return { issuer, audience, jwks: new URL(jwks) };
    return (await LocalIssuer.open(data.issuerKey)).settings;
  }
}

/** Finds out before anything is started whether the API's port is free. */
async function probe(port: number): Promise<void> {
  const server = createServer().listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw plainly(error, port);
  }
  server.close();
  await once(server, 'close');
}

function plainly(error: unknown, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new UsageError(`Port ${port} is in use. Free it, or choose another with --port.`);
  if (code === 'EACCES')
    return new UsageError(`Port ${port} may not be used by you. Choose one above 1023 with --port.`);
  if (code === 'ENOSPC')
    return new UsageError('The disk is full. Free some space, or name another data folder with --data.');
  return error;
}
