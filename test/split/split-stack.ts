/**
 * Attest as a large organisation runs it: each service and each engine a process of its own, started again when it ends. Uses the
 * compiled files, so build first.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type Engine, type EngineName, startEngineProcess } from '../../infra/embedded';
import { startNats } from '../../infra/embedded/nats';
import { type Caller, LocalIssuer } from '../../packages/auth';
import type { Role } from '../../packages/commands';
import { ApiClient } from '../e2e/api-client';
import { FLAGS } from '../e2e/reachable-stack';
import { KeptProcess, type StartedProcess } from './kept-process';

export type ServiceName = 'people' | 'enrollment' | 'assessment' | 'projector' | 'reports' | 'audit';
export type ProcessName = ServiceName | EngineName;

export interface SplitStackOptions {
  readonly services: readonly ServiceName[];
  /** With nats-server; the doors over it stay closed otherwise. */
  readonly nats?: boolean;
  /** How far everything that is for reading gives way to what takes commands, as `ATTEST_NICE` says it. */
  readonly niceReading?: number;
}

const ENGINES: readonly EngineName[] = ['eventstore', 'mongodb', 'clickhouse'];
const READING: readonly ProcessName[] = ['mongodb', 'clickhouse', 'projector', 'reports', 'audit'];
const [source] = __dirname.split(`${sep}dist${sep}`);
const DIST = __dirname.includes(`${sep}dist${sep}`) ? join(source!, 'dist') : join(__dirname, '..', '..', 'dist');

export class SplitStack {
  private readonly processes = new Map<ProcessName, KeptProcess>();
  private nats: Engine | undefined;
  private keys!: Server;

  private constructor(
    readonly folder: string,
    private readonly issuer: LocalIssuer,
    private readonly niceReading: number,
  ) {}

  /** Resolves when every service listens. */
  static async start({ services, nats = false, niceReading = 0 }: SplitStackOptions): Promise<SplitStack> {
    const folder = mkdtempSync(join(tmpdir(), 'attest-split-'));
    const stack = new SplitStack(folder, await LocalIssuer.open(join(folder, 'issuer.json')), niceReading);
    try {
      await stack.startEngines(nats);
      await stack.startServices(services);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  process(name: ProcessName): KeptProcess {
    const found = this.processes.get(name);
    if (!found) throw new Error(`${name} is not a process of this stack`);
    return found;
  }

  /** The URL of a service or engine, as its client takes it. */
  url(name: ProcessName): string {
    const { url } = this.process(name);
    return name === 'mongodb' ? `${url}/attest` : url;
  }

  get natsUrl(): string {
    if (!this.nats) throw new Error('this stack runs without NATS');
    return this.nats.url;
  }

  /** Process ids by name, of everything that runs now. */
  pids(): Record<string, number> {
    return Object.fromEntries([...this.processes].map(([name, { pid }]) => [name, pid]));
  }

  token(caller: Caller, expiresIn = '4h'): Promise<string> {
    return this.issuer.issue(caller, expiresIn);
  }

  /** Requests to a service as somebody with this role. */
  async as(role: Role, service: ServiceName, tenant: string): Promise<ApiClient> {
    return new ApiClient(this.url(service), await this.token({ sub: role, tenant, roles: [role] }));
  }

  /** What a service has logged. */
  log(name: ServiceName): string {
    return readFileSync(this.logFile(name), 'utf8');
  }

  /** Ends everything, the services first, and removes the folder. */
  async stop(): Promise<void> {
    const [engines, services] = [ENGINES, [...this.processes.keys()].filter((name) => !isEngine(name))];
    for (const group of [services, engines]) {
      await Promise.all(group.map(async (name) => this.processes.get(name)?.close()));
    }
    await this.nats?.close();
    this.keys?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startEngines(nats: boolean): Promise<void> {
    const start = async (name: EngineName): Promise<void> => {
      const options = { dataDir: join(this.folder, name), nice: this.nicenessOf(name) };
      const startAt = (port: number): Promise<StartedProcess> => startEngineProcess(name, { ...options, port });
      this.processes.set(name, await KeptProcess.start(name, startAt));
    };
    await everyOne(ENGINES.map(start));
    if (nats) this.nats = await startNats({ dataDir: join(this.folder, 'nats'), port: 0 });
  }

  private async startServices(services: readonly ServiceName[]): Promise<void> {
    const { issuer, audience, jwks } = this.issuer.settings;
    this.keys = createServer((_, response) => response.end(JSON.stringify(jwks))).listen(0, '127.0.0.1');
    await once(this.keys, 'listening');
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATTEST_'));
    const environment = {
      ...Object.fromEntries(inherited),
      ATTEST_EVENTSTORE_URL: this.url('eventstore'),
      ATTEST_MONGODB_URL: this.url('mongodb'),
      ATTEST_CLICKHOUSE_URL: this.url('clickhouse'),
      ...(this.nats && { ATTEST_NATS_URL: this.nats.url }),
      ATTEST_ISSUER: issuer,
      ATTEST_AUDIENCE: audience,
      ATTEST_JWKS_URL: `http://127.0.0.1:${(this.keys.address() as AddressInfo).port}/`,
      ATTEST_MASTER_KEY: `test:${randomBytes(32).toString('base64')}`,
      ATTEST_HOST: '127.0.0.1',
    };
    const start = async (name: ServiceName): Promise<void> => {
      const entry = join(DIST, 'apps', name, 'main.js');
      const ATTEST_NICE = String(this.nicenessOf(name));
      const startAt = (port: number): Promise<StartedProcess> =>
        startService(entry, { ...environment, ATTEST_NICE, ATTEST_PORT: String(port) }, this.logFile(name));
      this.processes.set(name, await KeptProcess.start(name, startAt));
    };
    await everyOne(services.map(start));
  }

  private nicenessOf(name: ProcessName): number {
    return READING.includes(name) ? this.niceReading : 0;
  }

  private logFile(name: ServiceName): string {
    return join(this.folder, `${name}.log`);
  }
}

/** Waits for all of them, also where one fails: whoever then stops what has started finds it. */
async function everyOne(starting: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(starting);
  await Promise.all(starting);
}

function isEngine(name: ProcessName): name is EngineName {
  return ENGINES.includes(name as EngineName);
}

/** A service tells the process that forked it where it listens. */
async function startService(entry: string, env: NodeJS.ProcessEnv, logFile: string): Promise<StartedProcess> {
  const log = openSync(logFile, 'a');
  const child = fork(entry, [], { env, stdio: ['ignore', log, log, 'ipc'], execArgv: FLAGS });
  closeSync(log);
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', ({ url }: { url: string }) => resolve(url));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`${entry} ended at start (${signal ?? `exit code ${code}`}): ${readFileSync(logFile, 'utf8')}`)),
    );
  });
  return { process: child, url, port: Number(new URL(url).port) };
}
