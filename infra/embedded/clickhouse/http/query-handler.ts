import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { checkAnalyst } from '../engine/access';
import type { Query, QueryRunner } from '../engine/query';
import { ClickHouseException } from '../errors';
import { parseStatement, type Statement } from '../sql/statement';
import { Answer } from './answer';
import { Body } from './body';
import { readMultipart } from './multipart';
import { isOn, type Parameters, readParameters } from './parameters';

/** What the answers need to know of the engine. */
export interface Served {
  runner: QueryRunner;
  spoolFolder: string;
  version: string;
  timezone: string;
  /** Media type of a format, as `system.formats` says. */
  contentTypes: ReadonlyMap<string, string>;
}

interface Asked {
  statement: Statement;
  /** Data of an INSERT that stood in the query string. */
  before: Buffer;
  /** Bytes at the front of the body that belong to the statement. */
  skip: number;
}

const DEFAULT_FORMAT = 'TabSeparated';

/** Answers a query. Never rejects: what goes wrong is the answer, or nobody is there to get one. */
export async function answerQuery(
  served: Served,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  let answer: Answer | undefined;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const body = new Body(request, isOn(url.searchParams.get('decompress')));
    const reads = request.method !== 'POST';
    const given = await formFields(url, request, body);
    const parameters = readParameters(given, request.headers, reads);
    answer = new Answer(response, {
      ...served,
      ...parameters,
      encoding: parameters.compressible ? negotiate(request.headers['accept-encoding']) : undefined,
    });
    const asked = isMultipart(request) ? whole(parameters.query) : await readStatement(parameters.query, body);
    await answerStatement(served, parameters, asked, body, answer, gone.signal);
  } catch (error) {
    await fail(served, request, response, answer, error, gone.signal);
  } finally {
    request.resume(); // what nobody reads of the body would stand before the next request
  }
}

async function answerStatement(
  served: Served,
  parameters: Parameters,
  { statement, before, skip }: Asked,
  body: Body,
  answer: Answer,
  signal: AbortSignal,
): Promise<void> {
  if (parameters.user === 'analyst') checkAnalyst(statement, parameters);
  const format = statement.format ?? parameters.defaultFormat ?? DEFAULT_FORMAT;
  answer.describe(format, served.contentTypes.get(format) ?? 'text/plain; charset=UTF-8');
  const data = statement.dataAt === undefined ? undefined : await body.spool(served.spoolFolder, before, skip);
  const query: Query = { ...parameters, id: parameters.queryId, statement, data };
  const ticking = parameters.progressInterval
    ? tick(served.runner, query.id, parameters.progressInterval, answer)
    : undefined;
  try {
    const outcome = await served.runner.run(query, (result) => deliver(result, answer), signal);
    ticking?.stop();
    if (!signal.aborted) await answer.end(outcome);
  } finally {
    ticking?.stop();
    if (data) await rm(data.path, { force: true });
  }
}

async function deliver(result: Readable | Buffer, answer: Answer): Promise<void> {
  if (Buffer.isBuffer(result)) return result.length > 0 ? answer.write(result) : undefined;
  for await (const piece of result) await answer.write(piece as Buffer);
}

/** The statement stands in `query=` with its data in the body, or both in the body; a body after any other query continues it. */
async function readStatement(query: string, body: Body): Promise<Asked> {
  if (query.trim() !== '') {
    const statement = tryParse(query);
    if (statement?.dataAt !== undefined) {
      return { statement, before: dataOf(Buffer.from(query.slice(statement.dataAt))), skip: 0 };
    }
  }
  const { head, complete } = await body.begin();
  const prefix = query.trim() === '' ? '' : `${query}\n`;
  // One character a byte: where the data begins is a place in the bytes, and binary data is no text.
  const start = tryParse(Buffer.from(prefix).toString('latin1') + head.toString('latin1'));
  if (start?.dataAt !== undefined) {
    const all = Buffer.concat([Buffer.from(prefix), head]);
    const statement = parseStatement(all.subarray(0, start.dataAt).toString());
    const skip = all.length - dataOf(all.subarray(start.dataAt)).length - Buffer.byteLength(prefix);
    return { statement, before: Buffer.alloc(0), skip };
  }
  return whole(prefix + (complete ? head.toString() : await body.text()));
}

const whole = (text: string): Asked => ({ statement: parseStatement(text), before: Buffer.alloc(0), skip: 0 });

/** The beginning of a body may be cut anywhere, so what it is not yet is no error. */
function tryParse(text: string): Statement | undefined {
  try {
    return parseStatement(text);
  } catch (error) {
    if (error instanceof ClickHouseException) return undefined;
    throw error;
  }
}

/** Data begins on the line after the statement, or after a space on the same one. */
function dataOf(rest: Buffer): Buffer {
  let at = 0;
  while (rest[at] === 0x20 || rest[at] === 0x09) at++;
  if (rest[at] === 0x0d) at++;
  if (rest[at] === 0x0a) at++;
  return rest.subarray(at);
}

/** The engine refuses what may not be done; why a GET may do so little is for the door to say. */
function explained(exception: ClickHouseException, { method }: IncomingMessage): ClickHouseException {
  if (exception.type !== 'READONLY' || method === 'POST' || /method GET/.test(exception.message)) return exception;
  const message = exception.message.replace(/\.?$/, '. ');
  const why = 'For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries';
  return ClickHouseException.of('READONLY', message + why);
}

const isMultipart = ({ headers }: IncomingMessage): boolean =>
  headers['content-type']?.toLowerCase().startsWith('multipart/form-data') ?? false;

async function formFields(url: URL, request: IncomingMessage, body: Body): Promise<URLSearchParams> {
  if (!isMultipart(request)) return url.searchParams;
  const fields = readMultipart(request.headers['content-type']!, await body.text());
  return new URLSearchParams([...url.searchParams, ...fields]);
}

function negotiate(accepted: string | string[] | undefined): string | undefined {
  const offered = String(accepted ?? '').toLowerCase();
  return ['gzip', 'br', 'deflate'].find((encoding) => new RegExp(`\\b${encoding}\\b`).test(offered));
}

/** Tells a client at intervals how far its query has come. */
function tick(runner: QueryRunner, id: string, interval: number, answer: Answer): { stop(): void } {
  let stopped = false;
  const timer = setInterval(() => {
    runner.progress(id).then(
      (progress) => {
        if (progress && !stopped) answer.tell(progress);
      },
      () => undefined, // the next tick may know; the query itself reports what is wrong
    );
  }, interval);
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

async function fail(
  { version }: Served,
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer | undefined,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted || response.destroyed) return answer?.discard();
  const exception =
    error instanceof ClickHouseException
      ? explained(error, request)
      : new ClickHouseException(1001, 'STD_EXCEPTION', (error as Error).message ?? String(error));
  if (answer) return answer.fail(exception);
  new Answer(response, {
    ...{ queryId: '', version, timezone: 'UTC', waitEnd: false, bufferSize: 0 },
    ...{ encoding: undefined, compressionLevel: 0, blocks: false, spoolFolder: '' },
  })
    .fail(exception)
    .catch(() => response.destroy());
}
