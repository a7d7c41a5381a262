/**
 * Attest as its users meet it: a stack that runs as a process of its own, and the `attest` command line beside it. Uses the compiled
 * files, so build first.
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StackUrls } from '../../apps/attest/data-folder';
import { LocalIssuer } from '../../packages/auth';
import type { Role } from '../../packages/commands';
import { ApiClient } from './api-client';
import { childrenOf, type RunningProcess } from './processes';

export const CLI = join(__dirname, '..', '..', 'dist', 'apps', 'attest', 'cli.js');

/** A finished run of the command line. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Who {
  readonly tenant?: string;
  /** Person id of a learner or manager; the role's name when left out. */
  readonly sub?: string;
}

/** Those of `npm start`, of the linked `attest` and of the services in the image. */
export const FLAGS = ['--max-semi-space-size=32', '--no-memory-reducer'];

/** What a process is started with: nothing of Attest's environment but this. */
export function spawnAttest(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { detached = false, stdio = ['ignore', 'pipe', 'pipe'] as StdioOptions } = {},
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATTEST_'));
  // Tests wait for what is read, beside other tests that keep the processors busy.
  const env = { ...Object.fromEntries(inherited), ATTEST_NICE: '0', ...environment };
  return spawn(process.execPath, [...FLAGS, CLI, ...args], { env, detached, stdio });
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

/** Resolves with what `attest up --json` says when everything answers. @throws Error with its log when it ends before */
export async function untilReady(stack: ChildProcess, log: () => string): Promise<StackUrls> {
  const ended = once(stack, 'close').then(([code]) => {
    throw new Error(`attest up ended with ${String(code)}:\n${log()}`);
  });
  const ready = once(createInterface({ input: stack.stdout! }), 'line') as Promise<[string]>;
  const [line] = await Promise.race([ready, ended]);
  ended.catch(() => undefined); // from here on it may end, by stop or kill
  return JSON.parse(line) as StackUrls;
}

/** A stack that runs, whoever started it. */
export class ReachableStack {
  protected constructor(
    readonly pid: number,
    readonly data: string,
    readonly urls: StackUrls,
    private readonly issuer: LocalIssuer,
    private readonly log: () => string,
  ) {}

  static async at(pid: number, data: string, urls: StackUrls, log: () => string): Promise<ReachableStack> {
    return new ReachableStack(pid, data, urls, await LocalIssuer.open(join(data, 'issuer.json')), log);
  }

  /** The end of what the stack has written to stderr, its log above all. */
  get stderr(): string {
    return this.log();
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
}
