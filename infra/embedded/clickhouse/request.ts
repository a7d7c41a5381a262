import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ClickHouseException } from './exception';

/** What a request asks for beside its statement. Names as in ClickHouse's HTTP interface. */
export interface QueryRequest {
  readonly user: string;
  /** GET may only read; so may the analyst, for whom not even settings can change within the query. */
  readonly readonly: 0 | 1 | 2;
  readonly database: string | undefined;
  readonly defaultFormat: string | undefined;
  readonly query: string;
  readonly queryId: string;
  readonly session: { id: string; timeout: number | undefined; mustExist: boolean } | undefined;
  readonly settings: readonly (readonly [string, string])[];
  readonly parameters: readonly (readonly [string, string])[];
  readonly compressAnswer: boolean;
}

/** Parameters of the interface itself; every other one is a setting or, as `param_<name>`, a query parameter. */
const OWN = new Set([
  'query', 'query_id', 'database', 'default_format', 'user', 'password', 'quota_key', 'session_id', 'session_timeout',
  'session_check', 'enable_http_compression', 'compress', 'decompress', 'wait_end_of_query', 'buffer_size', 'role',
  'send_progress_in_http_headers', 'http_headers_progress_interval_ms', 'cancel_http_readonly_queries_on_client_close',
  'close_session', 'stacktrace', 'client_protocol_version',
]); // prettier-ignore

/** @throws ClickHouseException for a user that is none, and for what this door does not do */
export function readRequest(request: IncomingMessage, url: URL): QueryRequest {
  const given = url.searchParams;
  const user = authenticate(request, given);
  if (given.get('compress') === '1' || given.get('decompress') === '1') {
    throw new ClickHouseException(
      48,
      'NOT_IMPLEMENTED',
      "The embedded engine has no native compression ('compress', 'decompress'); use gzip over HTTP.",
    );
  }
  if (given.has('role'))
    throw new ClickHouseException(48, 'NOT_IMPLEMENTED', "The embedded engine has no roles ('role').");
  const others = [...given].filter(([name]) => !OWN.has(name));
  const id = given.get('session_id');
  const timeout = given.get('session_timeout');
  return {
    user,
    readonly: user === 'analyst' ? 1 : request.method === 'GET' ? 2 : 0,
    database: given.get('database') ?? header(request, 'x-clickhouse-database'),
    defaultFormat: given.get('default_format') ?? header(request, 'x-clickhouse-format'),
    query: given.get('query') ?? '',
    queryId: given.get('query_id') || randomUUID(),
    session: id
      ? { id, timeout: timeout === null ? undefined : Number(timeout), mustExist: given.get('session_check') === '1' }
      : undefined,
    settings: others.filter(([name]) => !name.startsWith('param_')),
    parameters: others.filter(([name]) => name.startsWith('param_')),
    compressAnswer:
      given.get('enable_http_compression') === '1' && /\bgzip\b/.test(header(request, 'accept-encoding') ?? ''),
  };
}

/** Two users, both without a password, since only this machine can connect: `default` may do everything, `analyst` may read. */
function authenticate(request: IncomingMessage, given: URLSearchParams): string {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const [basicUser, basicPassword] = basic ? splitOnce(Buffer.from(basic, 'base64').toString('utf8')) : [];
  const user = header(request, 'x-clickhouse-user') ?? basicUser ?? given.get('user') ?? 'default';
  const password = header(request, 'x-clickhouse-key') ?? basicPassword ?? given.get('password') ?? '';
  if ((user === 'default' || user === 'analyst' || user === '') && password === '') return user || 'default';
  throw new ClickHouseException(
    516,
    'AUTHENTICATION_FAILED',
    `${user}: Authentication failed: password is incorrect, or there is no user with such name.`,
  );
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
