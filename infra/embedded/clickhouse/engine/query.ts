import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseException } from '../errors';
import { literal, quotedName } from '../sql/lexer';
import type { Statement } from '../sql/statement';
import type { User } from './access';
import { Admission } from './admission';
import { Connection, type QueryResult } from './chdb';
import { Connections } from './connections';
import type { Pipes } from './pipes';
import { type Session, type SessionRequest, Sessions } from './sessions';

/**
 * chdb chooses query ids itself. This setting, which has no effect without `send_logs_level`, carries ours into
 * `system.processes`, where KILL QUERY finds it.
 */
const ID_SETTING = 'send_logs_source_regexp';
const KILL_AGAIN_AFTER = 50;
const DEFAULT_FORMAT = 'TabSeparated';
/** Characters of parameters that fit a statement of ClickHouse's default `max_query_size` for certain. */
const SHORT_PARAMETERS = 20_000;

/** One statement with all that the request says about it. */
export interface Query {
  id: string;
  user: User;
  /** As the request's method or its settings ask; 0 when it may write. */
  readonly: 0 | 1 | 2;
  statement: Statement;
  /** Data of an INSERT. */
  data?: { path: string; compression: string } | undefined;
  database?: string | undefined;
  defaultFormat?: string | undefined;
  settings: ReadonlyMap<string, string>;
  /** By name without `param_`; escaped as in tab-separated values, which is how ClickHouse reads them. */
  parameters: ReadonlyMap<string, string>;
  session?: SessionRequest | undefined;
}

/** What a finished query did. */
export interface Outcome {
  rowsRead: number;
  bytesRead: number;
  rowsWritten: number;
  bytesWritten: number;
}

/** How far a running query has come. */
export interface Progress extends Outcome {
  totalRows: number;
}

/** Takes the result in pieces; called once, and only for statements that have one. */
export type Consume = (result: Readable | Buffer) => Promise<void>;

type Run = (sql: string, format?: string) => Promise<QueryResult>;

/** Runs queries side by side, each on a connection of its own meanwhile, so that no setting of one is seen by another. */
export class QueryRunner {
  private readonly running = new Set<string>();
  private readonly sessions: Sessions;
  private readonly connections: Connections;
  private readonly admission: Admission;

  /** @param places how many queries run at a time */
  constructor(
    private readonly dataDir: string,
    private readonly pipes: Pipes,
    places: number,
  ) {
    this.admission = new Admission(places);
    const connect = (): Connection => new Connection(dataDir);
    this.sessions = new Sessions(connect);
    this.connections = new Connections(connect);
  }

  /**
   * @param signal ends a query that only reads; a write goes on, as in ClickHouse
   * @throws ClickHouseException
   */
  async run(query: Query, consume: Consume, signal: AbortSignal): Promise<Outcome> {
    if (this.running.has(query.id)) {
      const message = `Query with id = ${query.id} is already running`;
      throw ClickHouseException.of('QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', message);
    }
    this.running.add(query.id);
    try {
      // A query to end another one must not wait for it.
      const leave =
        query.statement.verb === 'KILL'
          ? undefined
          : await this.admission.enter(query.statement.reads ? 'read' : 'write', signal);
      try {
        return await this.runOn(query, consume, signal);
      } finally {
        leave?.();
      }
    } finally {
      this.running.delete(query.id);
    }
  }

  /** How far a query has come; undefined when it does not run. */
  async progress(id: string): Promise<Progress | undefined> {
    const columns = 'read_rows, read_bytes, written_rows, written_bytes, total_rows_approx';
    const where = `Settings['${ID_SETTING}'] = ${literal(id)}`;
    const [row] = await this.rows<string[]>(`SELECT ${columns} FROM system.processes WHERE ${where}`);
    if (!row) return undefined;
    const [rowsRead = 0, bytesRead = 0, rowsWritten = 0, bytesWritten = 0, totalRows = 0] = row.map(Number);
    return { rowsRead, bytesRead, rowsWritten, bytesWritten, totalRows };
  }

  close(): void {
    this.sessions.close();
    this.connections.close();
  }

  private async runOn(query: Query, consume: Consume, signal: AbortSignal): Promise<Outcome> {
    if (query.session && query.readonly > 0 && !query.statement.reads) {
      throw ClickHouseException.of('READONLY', `${query.user}: Cannot execute query in readonly mode`);
    }
    if (query.session && query.user !== 'analyst') return this.runInSession(query.session, query, consume, signal);
    const { connection, isUsed, isShared, release } = this.connections.take(query);
    let isSound = false;
    try {
      const first = isUsed ? this.settingsOf(query) : this.prelude(query);
      // One call for both spares a quarter of what a short query takes. Whoever may only read gets their rights before the engine sees the query.
      const isOneCall = isShared && query.statement.verb !== 'INSERT';
      if (!isOneCall) await connection.query(first);
      const outcome = await this.execute(connection, query, consume, signal, isOneCall ? first : '');
      isSound = true;
      return outcome;
    } finally {
      release(isSound);
    }
  }

  private async runInSession(
    asked: SessionRequest,
    query: Query,
    consume: Consume,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { session, release } = this.sessions.take(asked);
    const { connection } = session;
    try {
      // What SET and USE change in a session is meant to stay.
      if (['SET', 'USE'].includes(query.statement.verb)) return await this.execute(connection, query, consume, signal);
      const restore = await prepareSession(session, query);
      try {
        await connection.query(this.prelude(query, true));
        return await this.execute(connection, query, consume, signal);
      } finally {
        await connection.query(restore);
      }
    } finally {
      release();
    }
  }

  /** Makes a connection this query's own: its settings, its parameters, its rights. */
  private prelude(query: Query, inSession = false): string {
    return [
      ...(query.user === 'analyst' ? ['SET ROLE analyst'] : []),
      this.settingsOf(query, inSession),
      ...(query.database ? [`USE ${quotedName(query.database)}`] : []),
      ...(query.readonly > 0 && !inSession ? [`SET readonly = ${query.readonly}`] : []),
    ].join(';\n');
  }

  private settingsOf(query: Query, inSession = false): string {
    const threads = Math.max(1, Math.floor(availableParallelism() / Math.max(1, this.admission.active)));
    const settings = new Map([
      // chdb's defaults that a server does not have.
      ['implicit_select', '0'],
      ['allow_introspection_functions', '0'],
      ...(inSession ? [] : [['max_threads', String(threads)] as const]),
      ...query.settings,
      [ID_SETTING, query.id],
      ...[...query.parameters].map(([name, value]) => [`param_${name}`, value] as const),
    ]);
    settings.delete('readonly');
    // Parameters count as text of the SET, but are not part of the query whose length the user may have limited.
    const long = [...query.parameters.values()].reduce((length, value) => length + value.length, 0) > SHORT_PARAMETERS;
    return [
      ...(long ? ['SET max_query_size = 1000000000'] : []),
      `SET ${[...settings].map(([name, value]) => `${name} = ${literal(value)}`).join(', ')}`,
      ...(long && !query.settings.has('max_query_size') ? ['SET max_query_size = DEFAULT'] : []),
    ].join(';\n');
  }

  /** @param first statements that come before the query, none for an INSERT */
  private async execute(
    connection: Connection,
    query: Query,
    consume: Consume,
    signal: AbortSignal,
    first = '',
  ): Promise<Outcome> {
    const { statement } = query;
    if (statement.verb === 'INSERT') {
      const written = await connection.insert(insertSql(query));
      return { ...written, rowsRead: written.rowsWritten, bytesRead: written.bytesWritten };
    }
    const format = statement.format ?? query.defaultFormat ?? DEFAULT_FORMAT;
    const run: Run = (sql, format) => connection.query(first ? `${first};\n${sql}` : sql, format);
    const read = statement.streams
      ? await this.stream(run, query, format, consume, signal)
      : await this.fetch(run, query, format, consume, signal);
    return { ...read, rowsWritten: 0, bytesWritten: 0 };
  }

  /** Lets the engine write the result into a pipe: any format, as it comes, and never more than a pipe full in memory. */
  private async stream(run: Run, query: Query, format: string, consume: Consume, signal: AbortSignal) {
    const { sql, settings } = query.statement;
    const pipe = this.pipes.open();
    const consumed = consume(pipe.stream).catch((error: unknown) => {
      pipe.destroy();
      throw error;
    });
    consumed.catch(() => undefined); // awaited below, unless the query itself fails
    try {
      const work = run(
        `${sql}\nINTO OUTFILE ${literal(pipe.path)} APPEND COMPRESSION 'none' FORMAT ${quotedName(format)}\n${settings}`,
      );
      const read = await this.killOnAbort(query.id, work, signal);
      pipe.finish();
      await consumed;
      return read;
    } finally {
      this.pipes.release(pipe);
    }
  }

  /** For statements whose answer is short or none. */
  private async fetch(run: Run, query: Query, format: string, consume: Consume, signal: AbortSignal) {
    const { sql, settings, verb, reads, format: named } = query.statement;
    const text =
      verb === 'KILL' ? killSql(query.statement) : `${sql}\n${named ? `FORMAT ${quotedName(named)}` : ''}\n${settings}`;
    const work = run(text, format);
    const { bytes, ...read } = await (reads ? this.killOnAbort(query.id, work, signal) : work);
    await consume(bytes);
    return read;
  }

  /** A query cannot be taken back from the engine, only killed; it may not have begun when the client goes. */
  private async killOnAbort<Result>(id: string, work: Promise<Result>, signal: AbortSignal): Promise<Result> {
    const settled = new AbortController();
    const kill = async (): Promise<void> => {
      while (!settled.signal.aborted) {
        await this.rows(`KILL QUERY WHERE Settings['${ID_SETTING}'] = ${literal(id)} ASYNC`);
        await delay(KILL_AGAIN_AFTER, undefined, { signal: settled.signal }).catch(() => undefined); // it has ended
      }
    };
    const onAbort = (): void => void kill();
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await work;
    } finally {
      settled.abort();
      signal.removeEventListener('abort', onAbort);
    }
  }

  private async rows<Row>(sql: string): Promise<Row[]> {
    return rowsOf<Row>(async () => {
      const connection = new Connection(this.dataDir);
      try {
        return await connection.query(sql, 'JSONCompactEachRow');
      } finally {
        connection.close();
      }
    });
  }
}

async function rowsOf<Row>(query: () => Promise<{ bytes: Buffer }>): Promise<Row[]> {
  const lines = (await query()).bytes.toString().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Row);
}

function insertSql({ statement, data }: Query): string {
  const { sql, settings, format = DEFAULT_FORMAT, input } = statement;
  if (!data) return `${sql}\n${statement.format ? `FORMAT ${quotedName(format)}` : ''}\n${settings}`;
  const path = literal(data.path);
  if (input) {
    const file = `file(${path}, ${literal(format)}, ${input.structure}, ${literal(data.compression)})`;
    return `${sql.slice(0, input.start)}${file}${sql.slice(input.end)}`;
  }
  return `${sql}\nFROM INFILE ${path} COMPRESSION ${literal(data.compression)}\n${settings}\nFORMAT ${quotedName(format)}`;
}

/** KILL QUERY with our ids instead of chdb's. */
function killSql({ sql, tokens }: Statement): string {
  let killed = sql;
  for (const { kind, text, start, end } of [...tokens].reverse()) {
    if ((kind !== 'word' && kind !== 'name') || text.toUpperCase() !== 'QUERY_ID') continue;
    killed = `${killed.slice(0, start)}Settings['${ID_SETTING}']${killed.slice(end)}`;
  }
  return killed;
}

/**
 * What a request changes for its own query must be as before for the next one of the session.
 * @returns the statements that restore it
 * @throws ClickHouseException UNKNOWN_QUERY_PARAMETER for a parameter that only an earlier request gave
 */
async function prepareSession({ connection, leftovers }: Session, query: Query): Promise<string> {
  query.statement.tokens.forEach((token, at, all) => {
    if (token.text !== '{' || all[at + 2]?.text !== ':') return;
    const { start, end } = all[at + 1]!;
    const name = query.statement.sql.slice(start, end);
    if (leftovers.has(name) && !query.parameters.has(name)) {
      throw new ClickHouseException(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`);
    }
  });
  for (const name of query.parameters.keys()) leftovers.add(name);
  const names = [...query.settings.keys(), ID_SETTING];
  const rows = await rowsOf<[string, string, number, string]>(() =>
    connection.query(
      `SELECT name, value, changed, currentDatabase() FROM system.settings WHERE name IN (${names.map(literal).join(', ')})`,
      'JSONCompactEachRow',
    ),
  );
  const settings = rows.map(([name, value, changed]) => `${name} = ${changed ? literal(value) : 'DEFAULT'}`);
  return [`SET ${settings.join(', ')}`, ...(query.database ? [`USE ${quotedName(rows[0]![3])}`] : [])].join(';\n');
}

/** A query id for a request that names none. */
export const newQueryId = (): string => randomUUID();
