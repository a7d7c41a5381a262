import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Engine, EngineStartError } from '../engine';
import { startNats } from '.';

let dataDir: string;
let engine: Engine | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'attest-nats-'));
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

/** The process that says it listens for this folder; 0 while there is none. */
function serverPid(): number {
  const file = readdirSync(join(dataDir, 'run')).find((name) => name.endsWith('.ports'));
  return Number(/_(\d+)\.ports$/.exec(file ?? '')?.[1] ?? 0);
}

const parentOf = (pid: number): number => Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

/** A server on the folder, started by a process that can be killed. */
async function startedElsewhere(): Promise<ChildProcess> {
  const compiled = join(__dirname, '../../../dist/infra/embedded/nats/index.js');
  const script = join(dataDir, 'parent.js');
  const start = `require(${JSON.stringify(compiled)}).startNats({ dataDir: ${JSON.stringify(dataDir)}, port: 0 })`;
  writeFileSync(script, `${start}.then(() => process.send('ready'));`);
  const parent = fork(script);
  await once(parent, 'message');
  return parent;
}

describe('the nats-server', () => {
  it('keeps every acknowledged message through kill -9, and comes back at the same port', async () => {
    const reported: string[] = [];
    engine = await startNats({ dataDir, port: 0, onProgress: (message) => reported.push(message) });
    const nats = await connect({ servers: engine.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
    await (await jetstreamManager(nats, { timeout: 100_000 })).streams.add({ name: 'FACTS', subjects: ['facts.>'] });
    const js = jetstream(nats, { timeout: 1_000 });
    const acknowledged = new Set<string>();
    let kills = 0;

    const publishing = (async () => {
      for (let n = 0; kills < 5; n++) {
        const id = `fact-${n}`;
        await js.publish('facts.a', id, { msgID: id }).then(
          () => acknowledged.add(id),
          () => undefined, // not acknowledged, so not promised
        );
      }
    })();
    for (; kills < 5; kills++) {
      const before = acknowledged.size;
      await until(() => acknowledged.size > before + 50);
      const pid = serverPid();
      process.kill(pid, 'SIGKILL');
      await until(() => serverPid() !== pid && serverPid() !== 0);
    }
    await publishing;
    await nats.close();

    // Over a connection of its own: what is asked over one that breaks meanwhile is not answered.
    const reading = await connect({ servers: engine.url });
    const manager = await jetstreamManager(reading, { timeout: 100_000 });
    const stored = new Set<string>();
    const { state } = await manager.streams.info('FACTS');
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage('FACTS', { seq });
      if (message) stored.add(message.string());
    }
    await reading.close();
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(250);
    expect(reported).toContain('nats-server ended; starting it again.');
  });

  it('ends with the process that started it, also when that is killed', async () => {
    const parent = await startedElsewhere();
    const pid = serverPid();
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await until(() => !isAlive(pid));
    engine = await startNats({ dataDir, port: 0 });
    expect(serverPid()).not.toBe(pid);
  });

  it('ends a server that an earlier run left on the store', async () => {
    const parent = await startedElsewhere();
    const pid = serverPid();
    parent.kill('SIGSTOP'); // so that it cannot start the server again
    process.kill(parentOf(pid), 'SIGKILL');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(isAlive(pid)).toBe(true);
    engine = await startNats({ dataDir, port: 0 });
    expect(serverPid()).not.toBe(pid);
    await until(() => !isAlive(pid));
  });

  it('keeps a second one away from its folder', async () => {
    engine = await startNats({ dataDir, port: 0 });
    await expect(startNats({ dataDir, port: 0 })).rejects.toThrow('in use by another process');
  });

  it('is gone once it is closed', async () => {
    const closing = await startNats({ dataDir, port: 0 });
    const pid = serverPid();
    await closing.close();
    expect(isAlive(pid)).toBe(false);
  });

  it('says when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const starting = startNats({ dataDir, port });
    await expect(starting).rejects.toThrow(`Port ${port} for NATS is in use`);
    await expect(starting).rejects.toBeInstanceOf(EngineStartError);
    other.close();
  });

  it('says when the folder cannot be used', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(startNats({ dataDir: file, port: 0 })).rejects.toBeInstanceOf(EngineStartError);
  });

  it('says when the server that was named is none', async () => {
    process.env.ATTEST_NATS_SERVER = join(dataDir, 'nothing');
    try {
      await expect(startNats({ dataDir, port: 0 })).rejects.toThrow('ATTEST_NATS_SERVER');
    } finally {
      delete process.env.ATTEST_NATS_SERVER;
    }
  });
});
