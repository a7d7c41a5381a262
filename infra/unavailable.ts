import { types } from 'node:util';
import { MongoNetworkError, MongoServerSelectionError } from 'mongodb';

/** Of Node.js, for a connection that is refused, broken off or not made in time. */
const SOCKET = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];

/** What `@clickhouse/client` says of a request that took longer than its `request_timeout`. */
const CLICKHOUSE_TIMEOUT = 'Timeout error.';

/** Whether an error says that a store of the read side, MongoDB or ClickHouse, could not be asked: what was asked may be asked again. */
export function isReadSideUnavailable(error: unknown): error is Error {
  if (!types.isNativeError(error)) return false;
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  return error.message === CLICKHOUSE_TIMEOUT || SOCKET.includes((error as NodeJS.ErrnoException).code ?? '');
}
