import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StackUrls } from '../../apps/attest/data-folder';
import { LocalIssuer } from '../../packages/auth';
import { gone } from './processes';
import { ReachableStack, spawnAttest, untilReady } from './reachable-stack';
import { sharedStack } from './shared-stack';

export { attest, type CliResult } from './reachable-stack';

/** Characters of a stack's stderr that are kept. */
const KEPT = 200_000;

export interface StackOptions {
  /** The data folder; a new temporary one when left out. */
  readonly data?: string;
  readonly sample?: boolean;
  readonly port?: number;
  /** In a process group of its own, as a shell starts it. */
  readonly terminal?: boolean;
  /** Settings beside the data folder. */
  readonly environment?: NodeJS.ProcessEnv;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'attest-e2e-'));
}

/** A stack that belongs to whoever starts it: they may end it, and must. */
export class RunningStack extends ReachableStack {
  private constructor(
    private readonly process: ChildProcess,
    data: string,
    urls: StackUrls,
    issuer: LocalIssuer,
    log: () => string,
  ) {
    super(process.pid!, data, urls, issuer, log);
  }

  /** Resolves when the stack has printed its ready line. */
  static async start(options: StackOptions = {}): Promise<RunningStack> {
    const { data = temporaryFolder(), sample = false, port = 0, terminal = false, environment = {} } = options;
    const args = ['up', '--json', '--port', String(port), ...(sample ? [] : ['--no-sample'])];
    const process = spawnAttest(args, { ...environment, ATTEST_DATA: data }, { detached: terminal });
    let text = '';
    process.stderr!.setEncoding('utf8').on('data', (more: string) => (text = (text + more).slice(-KEPT)));
    const log = (): string => text;
    const urls = await untilReady(process, log);
    return new RunningStack(process, data, urls, await LocalIssuer.open(join(data, 'issuer.json')), log);
  }

  /** Asks the stack to end. Fails unless it ends with code 0 and takes its engines along. */
  stop(): Promise<void> {
    return this.interrupt(this.pid);
  }

  /** As a terminal does it: the signal goes to the whole process group. Needs `terminal`. */
  pressCtrlC(): Promise<void> {
    return this.interrupt(-this.pid);
  }

  /** `kill -9`; resolves when the engines are gone too. Does nothing when the stack has ended. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const engines = this.engines();
    const closed = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await closed;
    await gone(engines);
  }

  private async interrupt(pid: number): Promise<void> {
    const { exitCode, signalCode } = this.process;
    const ended = exitCode ?? signalCode;
    if (ended !== null) throw new Error(`attest up had ended before with ${ended}:\n${this.stderr}`);
    const engines = this.engines();
    const closed = once(this.process, 'close');
    process.kill(pid, 'SIGINT');
    const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
    if (code !== 0) throw new Error(`attest up ended with ${String(code ?? signal)}:\n${this.stderr}`);
    await gone(engines);
  }
}

/**
 * A stack that files run against, several at a time: what they write is of tenants, or under ids, of their own. A test that kills
 * something, counts over all tenants, looks into the data folder or leaves the workflows far behind wants `useOwnStack`.
 */
export function useStack(): { stack: ReachableStack } {
  const used = {} as { stack: ReachableStack };
  beforeAll(async () => {
    used.stack = await sharedStack();
  });
  return used;
}

/** A stack for the tests of one file, stopped and removed after them. */
export function useOwnStack(options: StackOptions = {}): { stack: RunningStack } {
  const used = {} as { stack: RunningStack };
  beforeAll(async () => {
    used.stack = await RunningStack.start(options);
  });
  afterAll(async () => {
    await used.stack.stop();
    rmSync(used.stack.data, { recursive: true });
  });
  return used;
}
