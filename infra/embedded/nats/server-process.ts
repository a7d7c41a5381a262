import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineStartError } from '../engine';

const READY_WITHIN = 30_000;
const LOOK_AGAIN_AFTER = 5;
const MIB = 1024 * 1024;

/**
 * Runs the server until the pipe on stdin ends, which is when this process closes it or is gone, however it went. Without it
 * a `kill -9` of Attest would leave a nats-server behind that holds the port and the store.
 */
const WATCHED = `
  exec 3<&0
  "$0" -c "$1" </dev/null 3<&- & server=$!
  (while read -r _; do :; done <&3; kill "$server") 2>/dev/null & watch=$!
  wait "$server"; code=$?
  kill "$watch" 2>/dev/null
  exit "$code"`;

/** One nats-server on one store. Its own process group: Ctrl-C in a terminal reaches Attest only, which then stops it in order. */
export class NatsServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** Where clients find it. */
    readonly port: number,
    readonly pid: number,
  ) {}

  /**
   * Starts a server and waits until it takes connections. A server that an earlier run left on this store is ended first.
   * @param port 0 takes a free one
   * @throws EngineStartError with the server's own reason when it ends instead, or does not answer within 30 s
   */
  static async start(binary: string, dataDir: string, port: number): Promise<NatsServerProcess> {
    const config = join(dataDir, 'nats.conf');
    const portsDir = join(dataDir, 'run');
    const log = join(dataDir, 'nats.log');
    await endLeftovers(portsDir, config);
    mkdirSync(portsDir, { recursive: true });
    writeFileSync(config, configuration({ dataDir, port, portsDir, log }));
    const logged = existsSync(log) ? statSync(log).size : 0;

    const child = spawn('sh', ['-c', WATCHED, binary, config], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    child.stdin.on('error', () => undefined); // the pipe breaks when the server ends by itself, which `exited` tells
    const deadline = Date.now() + READY_WITHIN;
    for (;;) {
      const answering = readPorts(portsDir);
      if (answering) return new NatsServerProcess(child, answering.port, answering.pid);
      if (child.exitCode !== null) throw new EngineStartError(reasonIn(log, logged, port));
      if (Date.now() > deadline) {
        child.stdin.end();
        throw new EngineStartError(`nats-server does not answer after ${READY_WITHIN / 1000} s; see ${log}.`);
      }
      await delay(LOOK_AGAIN_AFTER);
    }
  }

  /** Resolves when the server has ended, whoever ended it. */
  async exited(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    this.child.stdin?.destroy();
  }

  /** Asks the server to end and waits until it has: it closes its clients, and its store is in order. */
  async stop(): Promise<void> {
    this.child.stdin?.end();
    await this.exited();
  }
}

function configuration(at: { dataDir: string; port: number; portsDir: string; log: string }): string {
  return [
    `listen: "127.0.0.1:${at.port === 0 ? -1 : at.port}"`,
    `ports_file_dir: ${JSON.stringify(at.portsDir)}`,
    `log_file: ${JSON.stringify(at.log)}`,
    `max_payload: ${8 * MIB}`,
    `jetstream { store_dir: ${JSON.stringify(at.dataDir)} }`,
    '',
  ].join('\n');
}

/**
 * What the server says once it takes connections: `<program>_<pid>.ports`, JSON, written in one step at start and removed at
 * a clean end (https://docs.nats.io/running-a-nats-service/configuration, `ports_file_dir`).
 */
function readPorts(portsDir: string): { pid: number; port: number } | undefined {
  for (const name of readdirSync(portsDir)) {
    const pid = pidIn(name);
    if (pid === undefined) continue;
    const [url] = parsePorts(readFileSync(join(portsDir, name), 'utf8'));
    if (url) return { pid, port: Number(new URL(url).port) };
  }
  return undefined;
}

function parsePorts(text: string): string[] {
  try {
    return (JSON.parse(text) as { nats?: string[] }).nats ?? [];
  } catch {
    return []; // being written
  }
}

function pidIn(portsFile: string): number | undefined {
  const [, pid] = /_(\d+)\.ports$/.exec(portsFile) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Ends servers on this store whose watching shell was killed, so that nobody else could. */
async function endLeftovers(portsDir: string, config: string): Promise<void> {
  if (!existsSync(portsDir)) return;
  for (const name of readdirSync(portsDir)) {
    const pid = pidIn(name);
    while (pid !== undefined && runsWith(pid, config)) {
      process.kill(pid, 'SIGKILL');
      await delay(LOOK_AGAIN_AFTER);
    }
    rmSync(join(portsDir, name), { force: true });
  }
}

function runsWith(pid: number, config: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(config);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}

function reasonIn(log: string, from: number, port: number): string {
  const text = existsSync(log) ? readFileSync(log).subarray(from).toString() : '';
  if (text.includes('address already in use')) return `Port ${port} for NATS is in use; free it or choose another.`;
  const last = text
    .split('\n')
    .reverse()
    .find((line) => /\[(FTL|ERR)\]/.test(line));
  return `nats-server does not start: ${last?.replace(/^.*\[(FTL|ERR)\] /, '') ?? `it gives no reason in ${log}`}.`;
}
