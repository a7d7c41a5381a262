import type { BulkLine } from '../../apps/shared/bulk-commands';
import type { CommandAnswer } from '../../apps/shared/command-dispatcher';
import type { Problem } from '../../apps/shared/problems';
import type { Status } from '../../apps/reports/status.controller';
import { workflowLanes } from '../../apps/projector/workflow-lanes';
import { until } from './until';

/** A response, whatever its status. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

type Parameters = Readonly<Record<string, string>>;
type RequestHeaders = Readonly<Record<string, string>>;

/** The HTTP door as a learning app sees it: requests with a token, answers as they come. */
export class ApiClient {
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  /** One command; whatever comes back. */
  send(command: string, data: unknown, headers: RequestHeaders = {}): Promise<Answer<CommandAnswer & Problem>> {
    return this.post(`/v1/commands/${command}`, data, headers);
  }

  /** @param data as it stands or as JSON */
  post<Body>(path: string, data: unknown, headers: RequestHeaders = {}): Promise<Answer<Body>> {
    const body = typeof data === 'string' ? data : JSON.stringify(data);
    const json = { 'content-type': 'application/json', ...headers };
    return this.request(path, { method: 'POST', headers: json, body });
  }

  /** One command that must be accepted. */
  async command(command: string, data: unknown, headers: RequestHeaders = {}): Promise<CommandAnswer> {
    const { status, body } = await this.send(command, data, headers);
    if (status !== 200) throw new Error(`${command} was answered with ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  get<Body>(path: string, parameters: Parameters = {}, headers: RequestHeaders = {}): Promise<Answer<Body>> {
    const query = new URLSearchParams(Object.entries(parameters));
    return this.request(query.size > 0 ? `${path}?${query.toString()}` : path, { headers });
  }

  /** The body of a query that must be answered, now or when the read side has caught up. */
  async read<Body>(path: string, parameters: Parameters = {}): Promise<Body> {
    let answer = await this.get<Body>(path, parameters);
    for (let tries = 1; answer.status === 503 && tries < 10; tries++) answer = await this.get<Body>(path, parameters);
    const { status, body } = answer;
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Lines of one bulk request, each as it stands or as JSON, and their answers. */
  async bulk(lines: readonly (string | object)[]): Promise<BulkLine[]> {
    const body = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    const headers = { 'content-type': 'application/x-ndjson', ...this.authorization };
    const response = await fetch(new URL('/v1/commands', this.url), { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the bulk request was answered with ${response.status}: ${text}`);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BulkLine);
  }

  /** Resolves when the read models, the warehouse and the workflows have seen the whole log. Gives its position. */
  async settled(patience = 200_000): Promise<string> {
    let status!: Status;
    const isSettled = async (): Promise<boolean> => {
      status = await this.read<Status>('/v1/status');
      const reached = Object.values(status.consumers);
      return reached.length >= CONSUMERS && reached.every((position) => BigInt(position) >= BigInt(status.log));
    };
    await until(isSettled, patience, STATUS_INTERVAL).catch((error: Error) => {
      throw new Error(`the stack did not settle: ${JSON.stringify(status)}`, { cause: error });
    });
    return status.log;
  }

  private get authorization(): RequestHeaders {
    return this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
  }

  private async request<Body>(path: string, request: RequestInit): Promise<Answer<Body>> {
    const headers = { ...this.authorization, ...(request.headers as RequestHeaders) };
    const response = await fetch(new URL(path, this.url), { ...request, headers });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
  }
}

/** An answer takes every store some work, of which they have enough while they catch up. */
const STATUS_INTERVAL = 100;
/** Read models, warehouse, and each workflow. */
const CONSUMERS = 2 + workflowLanes.flat().length;
