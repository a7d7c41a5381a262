import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineStartError } from '../../infra/embedded/engine';
import { acquireLock, type Holder, isRunning, thisProcess } from '../../infra/embedded/folder-lock';

/** What cannot be done, in one sentence for the person at the terminal. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Why a folder cannot be used, by the code of the system's error. */
const UNUSABLE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
  EACCES: 'you may not read and write it',
  EPERM: 'you may not read and write it',
  EROFS: 'its disk is read-only',
};

/** What the engines need to begin, and to say in order why they cannot go on, in bytes. */
const LEAST_SPACE = 16 * 1024 * 1024;

/** Where a running stack can be reached. */
export interface StackUrls {
  readonly api: string;
  readonly clickhouse: string;
  readonly eventstore: string;
  readonly mongodb: string;
  readonly nats: string | null;
}

/** The folder that a stack keeps everything in: `--data`, or `ATTEST_DATA`, or `.attest` where you stand. */
export class DataFolder {
  readonly path: string;

  constructor(path: string | undefined) {
    this.path = resolve(path ?? process.env.ATTEST_DATA ?? '.attest');
  }

  /** Key of the local issuer. */
  get issuerKey(): string {
    return join(this.path, 'issuer.json');
  }

  /** Master keys of the embedded default. Whoever backs up the folder keeps this file elsewhere. */
  get masterKeys(): string {
    return join(this.path, 'master-keys');
  }

  /** Keys that the log is sealed with, where the environment names none. */
  get sealKeys(): string {
    return join(this.path, 'seal-keys.json');
  }

  get logFile(): string {
    return join(this.path, 'attest.log');
  }

  /**
   * Takes the folder for this process.
   * @param leastSpace bytes that must be free on its disk
   * @returns the function that gives it back
   * @throws UsageError when it cannot be used or a stack runs in it
   */
  claim(leastSpace = LEAST_SPACE): () => void {
    try {
      mkdirSync(this.path, { recursive: true });
      accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK);
      writeFileSync(join(this.path, '.writable'), '');
      rmSync(join(this.path, '.writable'));
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      const why = UNUSABLE[code] ?? message;
      throw this.unusable(why);
    }
    const { bavail, bsize } = statfsSync(this.path);
    if (bavail * bsize < leastSpace) throw this.unusable(UNUSABLE.ENOSPC!);
    try {
      return acquireLock(join(this.path, 'stack.lock'), this.path);
    } catch (error) {
      if (!(error instanceof EngineStartError)) throw error;
      const running = this.running();
      const who = running ? `process ${running.pid}, ${running.api}` : 'still starting';
      throw new UsageError(`Attest already runs in ${this.path} (${who}). Stop it, or use another --data.`);
    }
  }

  announce(urls: StackUrls): void {
    writeFileSync(join(this.path, 'stack.json'), JSON.stringify({ ...thisProcess(), ...urls }));
  }

  withdraw(): void {
    rmSync(join(this.path, 'stack.json'), { force: true });
  }

  /** The stack that runs in this folder, undefined when there is none. */
  running(): (StackUrls & { pid: number }) | undefined {
    const file = join(this.path, 'stack.json');
    if (!existsSync(file)) return undefined;
    const stack = JSON.parse(readFileSync(file, 'utf8')) as StackUrls & Holder;
    return stack.pid !== process.pid && isRunning(stack) ? stack : undefined;
  }

  /** Whether a step of the first start is done; `finish` remembers it. */
  isFinished(step: string): boolean {
    return existsSync(join(this.path, `${step}.done`));
  }

  finish(step: string): void {
    writeFileSync(join(this.path, `${step}.done`), new Date().toISOString());
  }

  private unusable(why: string): UsageError {
    return new UsageError(`The data folder ${this.path} cannot be used: ${why}. Free it, or name another with --data.`);
  }
}
