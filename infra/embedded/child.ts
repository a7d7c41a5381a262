import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Engine, type EngineOptions, EngineStartError } from './engine';

export type EngineName = 'eventstore' | 'mongodb' | 'clickhouse';

/** What an engine in a process of its own is asked for. */
export interface ChildOptions extends EngineOptions {
  /** How far it gives way to other processes, 0 to 19; see `beNice`. */
  nice?: number;
}

/** An engine in a child process. `close` asks it to stop and waits; `kill` is `kill -9`. */
export interface ChildEngine extends Engine {
  process: ChildProcess;
  kill(): Promise<void>;
}

/** Where the compiled entry stands, whether this file runs compiled or through a test transform. */
const entry = __dirname.includes(`${join('dist', 'infra')}`)
  ? join(__dirname, 'main.js')
  : join(__dirname, '../../dist/infra/embedded/main.js');

/**
 * Starts an engine in a process of its own and waits until it answers.
 * @throws EngineStartError with the engine's own sentence when it cannot start.
 */
export async function startEngineProcess(name: EngineName, options: ChildOptions): Promise<ChildEngine> {
  const { dataDir, port, nice = 0 } = options;
  const child = fork(entry, [name, '--data', dataDir, '--port', String(port), '--nice', String(nice)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // chdb runs queries on libuv's pool, whose four threads would be its limit. And an engine trusts nobody's certificates: it speaks in plain
    // on loopback, and Node parses all of them, those it has by itself as well, before it begins, for more than half of what its start costs.
    env: { ...process.env, UV_THREADPOOL_SIZE: '16', NODE_EXTRA_CA_CERTS: undefined },
    // Ctrl-C reaches the whole group; the parent decides when engines stop, after the services that use them.
    detached: true,
  });
  const started = await new Promise<{ url: string; port: number }>((resolve, reject) => {
    child.once('message', (message: { ready: boolean; url: string; port: number; error: string }) =>
      message.ready ? resolve(message) : reject(new EngineStartError(message.error)),
    );
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new EngineStartError(`The ${name} engine ended at start (${signal ?? `exit code ${code}`}).`)),
    );
  });
  const end = async (act: () => void): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    act();
    await exited;
  };
  return {
    url: started.url,
    port: started.port,
    process: child,
    close: () => end(() => child.kill('SIGTERM')),
    kill: () => end(() => child.kill('SIGKILL')),
  };
}
