import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalIssuer } from '../../packages/auth';
import type { Role } from '../../packages/commands';
import type { Status } from '../reports/status.controller';
import type { BulkLine } from '../shared/bulk-commands';
import type { CommandAnswer } from '../shared/command-dispatcher';
import type { Problem } from '../shared/problems';
import { DataFolder, UsageError } from './data-folder';
import { type HttpRequest, request } from './http';

/** A running Attest refused a request. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  constructor(readonly problem: Problem) {
    super(`${problem.detail} (${problem.type})`);
  }
}

export interface BulkCommand {
  readonly command: string;
  readonly id: string;
  readonly data: object;
}

/**
 * Looks at how far everything is ask every store something, which have enough to do: rests for each time that a look took, and the shortest and
 * the longest in milliseconds.
 */
const LOOK = { rests: 2, shortest: 50, longest: 500 };

/** Workflows react to what other workflows led to. No chain of them is as long as this. */
const PASSES = 6;

/** A running Attest over HTTP, as any learning app would use it. */
export class AttestClient {
  constructor(
    readonly api: string,
    private readonly token: string,
  ) {}

  command(name: string, data: object, id?: string): Promise<CommandAnswer> {
    const headers = { 'content-type': 'application/json', ...(id && { 'idempotency-key': id }) };
    return this.json(`/v1/commands/${name}`, { method: 'POST', headers, body: JSON.stringify(data) });
  }

  /** Sends the commands in one request and gives their answers in order. */
  async *bulk(commands: readonly BulkCommand[]): AsyncIterable<BulkLine> {
    const body = commands.map((command) => `${JSON.stringify(command)}\n`).join('');
    const headers = { 'content-type': 'application/x-ndjson' };
    yield* linesOf<BulkLine>(await this.ask('/v1/commands', { method: 'POST', headers, body }));
  }

  get<T>(path: string, parameters: Parameters = {}): Promise<T> {
    return patiently(() => this.json(withQuery(path, parameters), {}));
  }

  post<T>(path: string): Promise<T> {
    return this.json(path, { method: 'POST' });
  }

  /** Writes the answer as it comes. @returns its headers @throws UsageError when it breaks off */
  async download(path: string, parameters: Parameters, to: Writable): Promise<IncomingHttpHeaders> {
    const file = await this.ask(withQuery(path, parameters), {});
    try {
      await pipeline(file, to, { end: to !== process.stdout });
    } catch (error) {
      throw explained(error);
    }
    return file.headers;
  }

  /** The lines of an answer in NDJSON, as they come. @param body is posted, where there is one */
  async *lines<T>(path: string, parameters: Parameters = {}, body?: object): AsyncIterable<T> {
    const asked = body ? posted(body) : { headers: {} };
    const headers = { ...asked.headers, accept: 'application/x-ndjson' };
    yield* linesOf<T>(await this.ask(withQuery(path, parameters), { ...asked, headers }));
  }

  /**
   * Waits until everything that reads the log has seen all of it, the effects of workflows included. Others may go on writing: what
   * comes after the last of the passes is not waited for. Gives the position that all have reached.
   * @param onProgress gets the position of whoever is furthest behind, and the one that is waited for
   */
  async settled(onProgress: (reached: bigint, target: bigint) => void = () => undefined): Promise<string> {
    let lookedAt = performance.now();
    let status = await this.get<Status>('/v1/status');
    for (let pass = 1; ; pass++) {
      const { log } = status;
      while (leastOf(status) < BigInt(log)) {
        onProgress(leastOf(status), BigInt(log));
        await delay(Math.max(LOOK.shortest, Math.min(LOOK.rests * (performance.now() - lookedAt), LOOK.longest)));
        lookedAt = performance.now();
        status = await this.get<Status>('/v1/status');
      }
      if (status.log === log || pass === PASSES) return log;
    }
  }

  private async json<T>(path: string, asked: HttpRequest): Promise<T> {
    return wholeOf<T>(await this.ask(path, asked));
  }

  private async ask(path: string, asked: HttpRequest): Promise<IncomingMessage> {
    const headers = { ...asked.headers, authorization: `Bearer ${this.token}` };
    let response: IncomingMessage;
    try {
      response = await request(new URL(path, this.api), { ...asked, headers });
    } catch (error) {
      throw new UsageError(`Attest does not answer at ${this.api}: ${(error as Error).message}.`);
    }
    if (response.statusCode! >= 300) throw await this.refusalOf(response);
    return response;
  }

  /** Whatever stands before Attest may answer in its place, and sends elsewhere or says what is no problem of ours. */
  private async refusalOf(response: IncomingMessage): Promise<Error> {
    const { statusCode, headers } = response;
    if (headers['content-type']?.startsWith('application/problem+json')) {
      return new ProblemError(await wholeOf<Problem>(response));
    }
    response.resume();
    const elsewhere = headers.location ? `, and sends to ${headers.location}` : '';
    return new UsageError(
      `What answers at ${this.api} is not Attest: it answers ${statusCode}${elsewhere}. Set ATTEST_URL to where Attest itself is.`,
    );
  }
}

/** Asks again while the read side is behind what is asked for, up to a minute. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isBehind = error instanceof ProblemError && error.problem.type === 'urn:attest:problem:read-model-behind';
      if (!isBehind || tries === 6) throw error;
    }
  }
}

/** Position of the consumer that is furthest behind. */
function leastOf({ consumers }: Status): bigint {
  return Object.values(consumers)
    .map(BigInt)
    .reduce((a, b) => (a < b ? a : b));
}

type Parameters = Readonly<Record<string, string | undefined>>;

function withQuery(path: string, parameters: Parameters): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

function posted(body: object): { method: string; headers: Record<string, string>; body: string } {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** @throws UsageError when the answer breaks off */
async function wholeOf<T>(answer: IncomingMessage): Promise<T> {
  try {
    return (await json(answer)) as T;
  } catch (error) {
    throw explained(error);
  }
}

/** @throws UsageError when the answer breaks off */
async function* linesOf<T>(answer: IncomingMessage): AsyncIterable<T> {
  let rest = '';
  try {
    for await (const text of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as T;
    }
  } catch (error) {
    throw explained(error);
  }
  if (rest !== '') yield JSON.parse(rest) as T;
}

const explained = (error: unknown): unknown =>
  (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    ? new UsageError('The answer broke off: is Attest up? Repeat the command.')
    : error;

export interface FoundStack {
  readonly data: DataFolder;
  readonly api: string;
  readonly nats: string | undefined;
}

/** The stack that the commands talk to: `ATTEST_URL`, or the one that runs in the data folder. @throws UsageError when there is none */
export function findStack(dataPath: string | undefined): FoundStack {
  const data = new DataFolder(dataPath);
  const { ATTEST_URL, ATTEST_NATS_URL } = process.env;
  const running = data.running();
  const api = ATTEST_URL ?? running?.api;
  if (!api) {
    throw new UsageError(`No Attest runs in ${data.path}. Start one with "npm start", or set ATTEST_URL or --data.`);
  }
  return { data, api, nats: ATTEST_NATS_URL ?? running?.nats ?? undefined };
}

/** A token from `ATTEST_TOKEN`, or signed by the local issuer of the data folder. */
export async function tokenFor(
  data: DataFolder,
  tenant: string,
  role: Role,
  sub: string = role,
  expiresIn = '1h',
): Promise<string> {
  if (process.env.ATTEST_TOKEN) return process.env.ATTEST_TOKEN;
  if (process.env.ATTEST_URL && !data.running()) {
    throw new UsageError(
      'Set ATTEST_TOKEN to a token of your issuer; this data folder has no local issuer for ATTEST_URL.',
    );
  }
  return (await LocalIssuer.open(data.issuerKey)).issue({ sub, tenant, roles: [role] }, expiresIn);
}
