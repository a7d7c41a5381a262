/**
 * Attest as its users run it: `attest up` as a process of its own on free ports and a temporary folder, and the `attest` command
 * line beside it. Uses the compiled files, so build first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StackUrls } from '../../apps/attest/data-folder';
import { LocalIssuer } from '../../packages/auth';
import type { Role } from '../../packages/commands';
import { ApiClient } from './api-client';
import { childrenOf, gone, type RunningProcess } from './processes';

export const CLI = join(__dirname, '..', '..', 'dist', 'apps', 'attest', 'cli.js');
/** Characters of a stack's stderr that are kept. */
const KEPT = 200_000;

/** A finished run of the command line. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

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

interface Who {
  readonly tenant?: string;
  /** Person id of a learner or manager; the role's name when left out. */
  readonly sub?: string;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'attest-e2e-'));
}

/** Runs `attest` with these arguments until it ends. */
export async function attest(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const child = spawnAttest(args, environment);
  const output = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

export class RunningStack {
  private constructor(
    private readonly process: ChildProcess,
    readonly data: string,
    readonly urls: StackUrls,
    private readonly issuer: LocalIssuer,
    private readonly log: { text: string },
  ) {}

  /** Resolves when the stack has printed its ready line. */
  static async start(options: StackOptions = {}): Promise<RunningStack> {
    const { data = temporaryFolder(), sample = false, port = 0, terminal = false, environment = {} } = options;
    const args = ['up', '--json', '--port', String(port), ...(sample ? [] : ['--no-sample'])];
    const process = spawnAttest(args, { ...environment, ATTEST_DATA: data }, terminal);
    const log = { text: '' };
    process.stderr!.setEncoding('utf8').on('data', (text: string) => (log.text = (log.text + text).slice(-KEPT)));
    const ended = once(process, 'close').then(([code]) => {
      throw new Error(`attest up ended with ${String(code)}:\n${log.text}`);
    });
    const ready = once(createInterface({ input: process.stdout! }), 'line') as Promise<[string]>;
    const [line] = await Promise.race([ready, ended]);
    ended.catch(() => undefined); // from here on it may end, by stop or kill
    const urls = JSON.parse(line) as StackUrls;
    return new RunningStack(process, data, urls, await LocalIssuer.open(join(data, 'issuer.json')), log);
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** The end of what the stack has written to stderr, its log above all. */
  get stderr(): string {
    return this.log.text;
  }

  token(
    role: Role,
    { tenant = 'acme', sub = role, expiresIn = '1h' }: Who & { expiresIn?: string } = {},
  ): Promise<string> {
    return this.issuer.issue({ sub, tenant, roles: [role] }, expiresIn);
  }

  /** Requests as somebody with this role. */
  async as(role: Role, who: Who = {}): Promise<ApiClient> {
    return new ApiClient(this.urls.api, await this.token(role, who));
  }

  cli(...args: readonly string[]): Promise<CliResult> {
    return attest(args, { ATTEST_DATA: this.data });
  }

  /** The processes that the stack has started: its engines. */
  engines(): RunningProcess[] {
    return childrenOf(this.pid);
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

/** A stack for the tests of one file, stopped and removed after them. */
export function useStack(options: StackOptions = {}): { stack: RunningStack } {
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

function spawnAttest(args: readonly string[], environment: NodeJS.ProcessEnv, detached = false): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATTEST_'));
  const env = { ...Object.fromEntries(inherited), ...environment };
  return spawn(process.execPath, [CLI, ...args], { env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
}
