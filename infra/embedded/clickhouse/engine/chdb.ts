/**
 * The calls of chdb's native addon that the engine uses. The package's own `Session` does not tell how many rows an INSERT
 * wrote and knows no cancelling; the addon below it tells the first, and KILL QUERY does the second. chdb is pinned to one
 * version for that reason.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ClickHouseException } from '../errors';

/** A connection of the addon: its own settings, parameters, roles, temporary tables and current database. */
declare const handle: unique symbol;
type Handle = { [handle]: true };

interface Native {
  CreateConnection(dataDir: string, args?: readonly string[]): Handle;
  CloseConnection(connection: Handle): void;
  QueryAsyncConnection(connection: Handle, sql: string, format: string): Promise<QueryResult>;
  InsertRawAsyncConnection(connection: Handle, sql: string, data: Buffer, countLines: boolean): Promise<InsertResult>;
}

export interface QueryResult {
  /** The result in the format asked for; empty when the statement wrote it to a file. */
  bytes: Buffer;
  rowsRead: number;
  bytesRead: number;
}

export interface InsertResult {
  /** With what materialized views wrote, as ClickHouse counts. */
  rowsWritten: number;
  bytesWritten: number;
}

const NO_DATA = Buffer.alloc(0);

let loaded: Native | undefined;

/** Loads half a gigabyte of ClickHouse on first use, so that merely importing the engine costs nothing. */
function native(): Native {
  if (loaded) return loaded;
  const load = createRequire(__filename);
  loaded = (load(join(dirname(load.resolve('chdb')), 'dist', 'loader.js')) as { loadNative(): Native }).loadNative();
  return loaded;
}

/** One connection to the one data folder that this process serves. Opening takes about 0.2 ms, so a query can have its own. */
export class Connection {
  private readonly handle: Handle;
  private running = 0;
  private closing = false;

  /** @param args command line of `clickhouse local`; only those of the first connection of a process count */
  constructor(dataDir: string, args?: readonly string[]) {
    this.handle = args ? native().CreateConnection(dataDir, args) : native().CreateConnection(dataDir);
  }

  /**
   * Runs statements on libuv's pool.
   * @param format for a statement that names none
   * @throws ClickHouseException
   */
  query(sql: string, format = 'TabSeparated'): Promise<QueryResult> {
    return this.track(native().QueryAsyncConnection(this.handle, sql, format));
  }

  /**
   * Runs an INSERT that brings its data from a file or a query.
   * @throws ClickHouseException
   */
  insert(sql: string): Promise<InsertResult> {
    return this.track(native().InsertRawAsyncConnection(this.handle, sql, NO_DATA, false));
  }

  /** Closes after what is running: to take a connection from under a query ends the whole engine. */
  close(): void {
    this.closing = true;
    if (this.running === 0) native().CloseConnection(this.handle);
  }

  private async track<Result>(work: Promise<Result>): Promise<Result> {
    this.running++;
    try {
      return await work;
    } catch (error) {
      throw ClickHouseException.parse((error as Error).message);
    } finally {
      this.running--;
      if (this.closing && this.running === 0) native().CloseConnection(this.handle);
    }
  }
}
