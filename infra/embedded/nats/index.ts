/** NATS with JetStream: the real nats-server, found or fetched, started and kept running. See README.md. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Engine, type EngineOptions, EngineStartError } from '../engine';
import { acquireLock } from '../folder-lock';
import { findNatsServer } from './binary';
import { NatsServerProcess } from './server-process';

export interface NatsOptions extends EngineOptions {
  /** Gets one sentence for everything that a person would want to know: an installation, an unexpected end. */
  onProgress?: ((message: string) => void) | undefined;
}

/** Milliseconds between attempts to start again: doubled each time, from the first to the last. */
const RESTART = { first: 50, last: 5_000 };
/** A server that ran this many milliseconds was well; its end is a new trouble, not the old one. */
const WELL_AFTER = 10_000;

/**
 * Starts nats-server on 127.0.0.1 and starts it again, at the same port, whenever it ends by itself.
 * @throws EngineStartError when there is none to be had, the port is taken, or the folder cannot be used
 */
export async function startNats({
  dataDir: folder,
  port: wanted,
  onProgress = () => undefined,
}: NatsOptions): Promise<Engine> {
  const dataDir = resolve(folder);
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new EngineStartError(`The data folder ${dataDir} cannot be used: ${(error as Error).message}.`);
  }
  const release = acquireLock(join(dataDir, 'engine.lock'), dataDir);
  try {
    const binary = await findNatsServer(dataDir, onProgress);
    const supervised = await supervise(binary, dataDir, wanted, onProgress);
    return { ...supervised, close: () => supervised.close().finally(release) };
  } catch (error) {
    release();
    throw error;
  }
}

async function supervise(
  binary: string,
  dataDir: string,
  wanted: number,
  onProgress: (message: string) => void,
): Promise<Engine> {
  let server = await NatsServerProcess.start(binary, dataDir, wanted);
  const { port } = server;
  const closing = new AbortController();
  let pause = RESTART.first;

  const keepRunning = async (): Promise<void> => {
    for (;;) {
      const since = Date.now();
      await server.exited();
      if (closing.signal.aborted) return;
      if (Date.now() - since > WELL_AFTER) pause = RESTART.first;
      onProgress('nats-server ended; starting it again.');
      await restart();
    }
  };
  const restart = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await delay(pause, undefined, { signal: closing.signal }).catch(() => undefined); // closing ends the pause
      pause = Math.min(pause * 2, RESTART.last);
      if (closing.signal.aborted) return;
      try {
        server = await NatsServerProcess.start(binary, dataDir, port);
        if (closing.signal.aborted) await server.stop();
        return;
      } catch (error) {
        onProgress((error as Error).message);
      }
    }
  };
  const running = keepRunning();

  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    close: async () => {
      closing.abort();
      await server.stop();
      await running;
    },
  };
}
