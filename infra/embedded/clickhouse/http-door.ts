import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { StreamChunk } from 'chdb';
import type { Readable, Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Admission } from './admission';
import { decoded, readHead, spool } from './body';
import { Connection } from './connection';
import type { DataFolder } from './data-folder';
import { ClickHouseException, exceptionFrom } from './exception';
import type { HttpSessions } from './http-sessions';
import { type QueryRequest, readRequest } from './request';
import { parseStatement, type Statement } from './statement';

/** An answer up to this size, in bytes, is sent with its summary and length; a longer one is sent as it comes. */
const SHORT_ANSWER = 1_048_576;
const DEFAULT_FORMAT = 'TabSeparated';

export interface Engine {
  readonly folder: DataFolder;
  readonly sessions: HttpSessions;
  readonly reads: Admission;
  readonly writes: Admission;
}

/** Answers one HTTP request as ClickHouse's HTTP interface does. Never rejects. */
export async function answer(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET' && (url.pathname === '/ping' || url.pathname === '/replicas_status'))
      return send(response, 'Ok.\n');
    if (url.pathname !== '/') return notFound(response, url.pathname);
    if (request.method === 'GET' && !url.searchParams.has('query')) return send(response, 'Ok.\n');
    if (request.method !== 'GET' && request.method !== 'POST') {
      response.writeHead(501, { allow: 'GET, POST' });
      return send(response, 'Use GET or POST.\n');
    }
    await answerQuery(engine, request, url, response);
  } catch (error) {
    fail(response, error);
  }
}

async function answerQuery(
  engine: Engine,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const asked = readRequest(request, url);
  response.setHeader('X-ClickHouse-Query-Id', asked.queryId);
  response.setHeader('X-ClickHouse-Timezone', 'UTC');
  response.setHeader('X-ClickHouse-Server-Display-Name', 'embedded');
  const { head, rest } = await readHead(decoded(request));
  const { statement, data } = compose(asked.query, head);
  if (rest && statement.kind !== 'insert')
    throw new ClickHouseException(62, 'SYNTAX_ERROR', 'Max query size exceeded: 1 MiB.');

  const leave = await (statement.kind === 'insert' ? engine.writes : engine.reads).enter();
  const { connection, release } = takeConnection(engine, asked);
  try {
    await prepare(connection, asked);
    if (statement.kind === 'insert') await insert(engine, connection, statement, { head: data, rest }, response);
    else if (statement.kind === 'rows') await answerRows(connection, statement, asked, response);
    else {
      const bytes = await connection.run(statement.text, statement.format ?? asked.defaultFormat ?? DEFAULT_FORMAT);
      summarize(response, {});
      response.end(bytes);
    }
  } finally {
    release();
    leave();
  }
}

/** The statement stands in `?query=` with its data in the body, or both in the body. */
function compose(query: string, head: Buffer): { statement: Statement; data: Buffer } {
  if (query.trim() === '') {
    const text = head.toString('latin1'); // one character a byte, so that binary data after the statement keeps its place
    const { dataAt } = parseStatement(text);
    return { statement: parseStatement(head.subarray(0, dataAt).toString('utf8')), data: head.subarray(dataAt) };
  }
  const statement = parseStatement(query);
  if (statement.kind === 'insert') {
    const inline = Buffer.from(query.slice(statement.dataAt));
    return { statement, data: inline.length > 0 ? Buffer.concat([inline, Buffer.from('\n'), head]) : head };
  }
  if (head.length === 0) return { statement, data: head };
  // As in ClickHouse, a body continues the query.
  return { statement: parseStatement(`${query}\n${head.toString('utf8')}`), data: Buffer.alloc(0) };
}

function takeConnection(
  engine: Engine,
  { session, user }: QueryRequest,
): { connection: Connection; release: () => void } {
  if (session) return engine.sessions.take(user, session.id, session.mustExist, session.timeout);
  const connection = new Connection(engine.folder.data);
  return { connection, release: () => connection.close() };
}

async function prepare(connection: Connection, asked: QueryRequest): Promise<void> {
  if (asked.database) await connection.use(asked.database);
  await connection.set(asked.settings.filter(([name]) => name !== 'readonly' || asked.readonly === 0));
  await connection.set(asked.parameters);
  if (asked.readonly > 0 && !asked.session) await connection.set([['readonly', String(asked.readonly)]]);
  else if (asked.readonly === 1) throw new ClickHouseException(164, 'READONLY', 'A read-only user has no sessions.');
}

async function insert(
  { folder }: Engine,
  connection: Connection,
  { text, format, settings }: Statement,
  { head, rest }: { head: Buffer; rest: Readable | undefined },
  response: ServerResponse,
): Promise<void> {
  const file = join(folder.spool, randomUUID());
  try {
    const length = await spool(head, rest, file);
    if (settings) await connection.setClause(settings);
    if (length > 0) await connection.insertFile(text, file, format!);
    summarize(response, { read_bytes: length, written_bytes: length });
    response.end();
  } finally {
    await rm(file, { force: true });
  }
}

async function answerRows(
  connection: Connection,
  { text, format: named }: Statement,
  { defaultFormat, compressAnswer }: QueryRequest,
  response: ServerResponse,
): Promise<void> {
  const format = named ?? defaultFormat ?? DEFAULT_FORMAT;
  const stream = connection.stream(text, format);
  const abandon = (): void => stream.cancel();
  response.once('close', abandon);
  try {
    const chunks: AsyncIterator<StreamChunk, unknown> = stream[Symbol.asyncIterator]();
    const first: Uint8Array[] = [];
    let bytes = 0;
    let rows = 0;
    let next = await chunks.next();
    for (; next.done !== true && bytes < SHORT_ANSWER; next = await chunks.next()) {
      first.push(next.value.raw());
      bytes += next.value.numBytes;
      rows += next.value.numRows;
    }
    response.setHeader('X-ClickHouse-Format', format);
    response.setHeader('Content-Type', contentType(format));
    const output = open(response, compressAnswer);
    if (next.done === true)
      summarize(response, { result_rows: rows, result_bytes: bytes, read_rows: rows, read_bytes: bytes });
    for (const chunk of first) await write(output, chunk);
    for (; next.done !== true && !response.destroyed; next = await chunks.next()) await write(output, next.value.raw());
    output.end();
  } finally {
    response.off('close', abandon);
    stream.cancel();
  }
}

function open(response: ServerResponse, compress: boolean): Writable {
  if (!compress) return response;
  response.setHeader('Content-Encoding', 'gzip');
  const gzip = createGzip({ level: 1 });
  gzip.pipe(response);
  return gzip;
}

async function write(output: Writable, chunk: Uint8Array): Promise<void> {
  if (!output.write(chunk) && !output.destroyed) await Promise.race([once(output, 'drain'), once(output, 'close')]);
}

/** `X-ClickHouse-Summary`, whose numbers are strings. What the engine does not tell is 0. */
function summarize(response: ServerResponse, known: Readonly<Record<string, number>>): void {
  const fields = [
    'read_rows',
    'read_bytes',
    'written_rows',
    'written_bytes',
    'total_rows_to_read',
    'result_rows',
    'result_bytes',
  ];
  const summary = Object.fromEntries(fields.map((field) => [field, String(known[field] ?? 0)]));
  response.setHeader('X-ClickHouse-Summary', JSON.stringify({ ...summary, elapsed_ns: '0' }));
}

function contentType(format: string): string {
  if (/^(JSON|JSONCompact|JSONStrings|JSONColumnsWithMetadata)$/.test(format)) return 'application/json; charset=UTF-8';
  if (/^JSON.*EachRow/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^CSV/.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(Tab|TSV)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(Parquet|Arrow|ORC|Native|RowBinary|Avro|MsgPack|Protobuf)/.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}

function send(response: ServerResponse, text: string): void {
  response.setHeader('Content-Type', 'text/html; charset=UTF-8');
  response.end(text);
}

function notFound(response: ServerResponse, path: string): void {
  response.statusCode = 404;
  send(
    response,
    `There is no handle ${path}\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...\n`,
  );
}

function fail(response: ServerResponse, error: unknown): void {
  const exception =
    exceptionFrom(error) ?? new ClickHouseException(1002, 'UNKNOWN_EXCEPTION', (error as Error).message);
  if (response.headersSent) {
    // Too late for a status: the answer is cut off, so that nobody takes it for whole.
    response.destroy();
    return;
  }
  response.removeHeader('Content-Encoding');
  response.statusCode = exception.status;
  response.setHeader('X-ClickHouse-Exception-Code', String(exception.code));
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(exception.body);
}
