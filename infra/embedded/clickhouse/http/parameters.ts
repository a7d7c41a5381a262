import type { IncomingHttpHeaders } from 'node:http';
import { checkAnalystSetting, type User } from '../engine/access';
import { newQueryId } from '../engine/query';
import type { SessionRequest } from '../engine/sessions';
import { ClickHouseException } from '../errors';

/** What a request asks for, beside its statement and data. Names as in ClickHouse's HTTP interface. */
export interface Parameters {
  user: User;
  queryId: string;
  query: string;
  readonly: 0 | 1 | 2;
  database: string | undefined;
  defaultFormat: string | undefined;
  session: SessionRequest | undefined;
  settings: Map<string, string>;
  parameters: Map<string, string>;
  /** The whole answer is to be kept back until the query has ended. */
  waitEnd: boolean;
  /** Bytes of the answer that are kept back, so that a failure among them still has its own status. */
  bufferSize: number;
  /** Milliseconds between two `X-ClickHouse-Progress` headers. */
  progressInterval: number | undefined;
  compressible: boolean;
  /** The answer is to come in ClickHouse's own compressed blocks. */
  blocks: boolean;
  compressionLevel: number;
}

/** Parameters of the interface; every other one is a setting or, as `param_<name>`, a query parameter. */
const OWN = new Set(
  `buffer_size client_protocol_version close_session compress database decompress default_format password query query_id
   quota_key role session_check session_id session_timeout stacktrace user wait_end_of_query`.split(/\s+/),
);
const SETTING_NAME = /^[A-Za-z_][\w.]*$/;
const DEFAULT_BUFFER = 1024 * 1024;
const MAX_BUFFER = 64 * DEFAULT_BUFFER;
const DEFAULT_COMPRESSION_LEVEL = 3;

/**
 * Reads the query string and the headers of a request.
 * @param reads GET and HEAD may only read
 * @throws ClickHouseException for a user that is none, and for what the embedded engine cannot do
 */
export function readParameters(given: URLSearchParams, headers: IncomingHttpHeaders, reads: boolean): Parameters {
  const user = authenticate(given, headers);
  refuse(given);
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of given) {
    if (name.startsWith('param_')) parameters.set(checked(name.slice('param_'.length)), value);
    else if (!OWN.has(name)) settings.set(checked(name), value);
  }
  if (user === 'analyst') for (const name of settings.keys()) checkAnalystSetting(name);
  const asked = Number(settings.get('readonly') ?? 0);
  return {
    user,
    queryId: given.get('query_id') || newQueryId(),
    query: given.get('query') ?? '',
    readonly: user === 'analyst' || asked === 1 ? 1 : reads || asked === 2 ? 2 : 0,
    database: given.get('database') || one(headers['x-clickhouse-database']) || undefined,
    defaultFormat: given.get('default_format') || one(headers['x-clickhouse-format']) || undefined,
    session: readSession(given),
    settings,
    parameters,
    waitEnd: isOn(given.get('wait_end_of_query') ?? settings.get('http_wait_end_of_query')),
    bufferSize: Math.min(Number(given.get('buffer_size') ?? DEFAULT_BUFFER) || DEFAULT_BUFFER, MAX_BUFFER),
    progressInterval: isOn(settings.get('send_progress_in_http_headers'))
      ? Math.max(10, Number(settings.get('http_headers_progress_interval_ms') ?? 100))
      : undefined,
    blocks: isOn(given.get('compress')),
    compressible: isOn(settings.get('enable_http_compression')),
    compressionLevel: Number(settings.get('http_zlib_compression_level') ?? DEFAULT_COMPRESSION_LEVEL),
  };
}

export const isOn = (value: string | null | undefined): boolean => value === '1' || value === 'true';

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header);

function checked(name: string): string {
  if (SETTING_NAME.test(name)) return name;
  throw ClickHouseException.of('UNKNOWN_SETTING', `Unknown setting '${name}'`);
}

function readSession(given: URLSearchParams): SessionRequest | undefined {
  const id = given.get('session_id');
  if (!id) return undefined;
  const timeout = given.get('session_timeout');
  return {
    id,
    timeout: timeout === null ? undefined : Number(timeout),
    mustExist: isOn(given.get('session_check')),
    closes: isOn(given.get('close_session')),
  };
}

/** Basic authentication, the headers X-ClickHouse-User and -Key, or `user` and `password`. Neither user has a password. */
function authenticate(given: URLSearchParams, headers: IncomingHttpHeaders): User {
  const [, basic] = /^Basic (.+)$/i.exec(headers.authorization ?? '') ?? [];
  const [, basicUser, basicPassword] = /^([^:]*):?(.*)$/s.exec(Buffer.from(basic ?? '', 'base64').toString()) ?? [];
  const user = one(headers['x-clickhouse-user']) || basicUser || given.get('user') || 'default';
  const password = one(headers['x-clickhouse-key']) || basicPassword || given.get('password') || '';
  if (password === '' && (user === 'default' || user === 'analyst')) return user;
  const message = `${user}: Authentication failed: password is incorrect, or there is no user with such name`;
  throw ClickHouseException.of('AUTHENTICATION_FAILED', message);
}

function refuse(given: URLSearchParams): void {
  for (const name of ['role', 'quota_key']) {
    if (given.get(name)) throw ClickHouseException.of('NOT_IMPLEMENTED', `The embedded engine does not know '${name}'`);
  }
}
