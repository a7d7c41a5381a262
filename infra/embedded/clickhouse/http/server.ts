import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineStartError } from '../../engine';
import { answerQuery, type Served } from './query-handler';

/** Milliseconds; ClickHouse's own keep_alive_timeout is 30 s. */
const KEEP_ALIVE = 30_000;
const HEADERS_TIMEOUT = 20_000;
/** A body that trickles in for longer is given up. */
const REQUEST_TIMEOUT = 30 * 60_000;
/** Milliseconds that answers which have begun are given at the end; a query that writes is waited for without limit. */
const PATIENCE = 5_000;
/** Bytes of a request line with its headers. The official client moves long parameters into the body. */
const MAX_HEADERS = 1024 * 1024;

const NOT_FOUND = `There is no handle %s

Use / or /ping for health checks.
Or /replicas_status for more sophisticated health checks.

Send queries from your program with POST method or GET /?query=...

Use clickhouse-client:

For interactive data analysis:
    clickhouse-client

For batch query processing:
    clickhouse-client --query='SELECT 1' > result
    clickhouse-client < query > result
`;

/** A port is taken before its database is loaded: whoever asks in between is hung up on and asks again. */
const notYet = (request: IncomingMessage): void => void request.socket.destroy();

/** Listens on 127.0.0.1; answers from `serve` on. @throws EngineStartError when the port is in use */
export async function listen(port: number): Promise<Server> {
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    maxHeaderSize: MAX_HEADERS,
  }).on('request', notYet);
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new EngineStartError(`Port ${port} for ClickHouse is in use; free it or choose another.`);
  }
  return server;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/**
 * Answers from now on: the paths of ClickHouse's HTTP interface, without its pages for browsers.
 * @returns what ends it: no new connection, then the answers that were begun, then all connections
 */
export function serve(server: Server, served: Served): () => Promise<void> {
  const answering = new Set<Promise<void>>();
  server.off('request', notYet).on('request', (request, response) => {
    response.on('error', () => response.destroy());
    const sent = new Promise<void>((resolve) => response.once('close', resolve));
    const answered = answer(served, request, response)
      .catch((error: unknown) => void response.destroy(error as Error))
      .then(() => sent)
      .finally(() => answering.delete(answered));
    answering.add(answered);
  });
  return async () => {
    const closed = once(server, 'close');
    server.close();
    const patience = new AbortController();
    await Promise.race([
      Promise.all(answering),
      delay(PATIENCE, undefined, { signal: patience.signal }).catch(() => undefined), // all is answered
    ]);
    patience.abort();
    server.closeAllConnections();
    await closed;
    await Promise.all(answering);
  };
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET' } = request;
  const url = URL.canParse(request.url ?? '/', 'http://localhost')
    ? new URL(request.url ?? '/', 'http://localhost')
    : undefined;
  if (!url) return text(response, 400, 'Bad request\n');
  const reads = method === 'GET' || method === 'HEAD';
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') return text(response, 200, 'Ok.\n');
  if (url.pathname !== '/' && url.pathname !== '/query')
    return text(response, 404, NOT_FOUND.replace('%s', url.pathname));
  if (!reads && method !== 'POST') {
    response.setHeader('Allow', 'GET, HEAD, POST');
    return text(response, 501, `Method ${method} is not supported\n`);
  }
  if (reads && !url.searchParams.has('query')) return text(response, 200, 'Ok.\n');
  if (
    method === 'POST' &&
    !request.headers['content-length'] &&
    !request.headers['transfer-encoding'] &&
    !url.searchParams.has('query')
  ) {
    response.setHeader('X-ClickHouse-Exception-Code', '381');
    return text(
      response,
      411,
      `Code: 381. DB::Exception: The Transfer-Encoding is not chunked and there is no Content-Length header for POST request. (HTTP_LENGTH_REQUIRED) (version ${served.version} (official build))\n`,
    );
  }
  await answerQuery(served, request, url, response);
}

function text(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=UTF-8');
  response.end(body);
}
