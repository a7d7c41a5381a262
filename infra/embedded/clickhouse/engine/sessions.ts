import { ClickHouseException } from '../errors';
import { type Connection } from './chdb';

const DEFAULT_TIMEOUT = 60;
const MAX_TIMEOUT = 3_600;

/** What a request says about its session, as in `session_id`, `session_timeout`, `session_check` and `close_session`. */
export interface SessionRequest {
  id: string;
  /** Seconds that the session outlives the request; 60 when not given, at most 3,600. */
  timeout?: number | undefined;
  mustExist: boolean;
  closes: boolean;
}

export interface Session {
  connection: Connection;
  /** Query parameters of earlier requests: ClickHouse keeps them on the connection, where they must not be found again. */
  leftovers: Set<string>;
  busy: boolean;
  expires: NodeJS.Timeout | undefined;
}

/** Connections that stay between requests, with their settings, temporary tables and current database. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly connect: () => Connection) {}

  /**
   * Takes a session for one query, beginning it if need be.
   * @returns it, and the function that gives it back
   * @throws ClickHouseException when another query has it, when it should exist and does not, or the timeout is too long
   */
  take({ id, timeout = DEFAULT_TIMEOUT, mustExist, closes }: SessionRequest): {
    session: Session;
    release: () => void;
  } {
    if (!(timeout >= 0 && timeout <= MAX_TIMEOUT)) {
      const message = `Session timeout '${timeout}' is larger than max_session_timeout: ${MAX_TIMEOUT}. Maximum session timeout could be modified in configuration file`;
      throw ClickHouseException.of('INVALID_SESSION_TIMEOUT', message);
    }
    let session = this.sessions.get(id);
    if (session?.busy)
      throw ClickHouseException.of('SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`);
    if (!session) {
      if (mustExist) throw ClickHouseException.of('SESSION_NOT_FOUND', `Session ${id} not found`);
      session = { connection: this.connect(), leftovers: new Set(), busy: true, expires: undefined };
      this.sessions.set(id, session);
    }
    session.busy = true;
    clearTimeout(session.expires);
    const taken = session;
    const release = (): void => {
      taken.busy = false;
      if (closes) this.end(id);
      else taken.expires = setTimeout(() => this.end(id), timeout * 1_000).unref();
    };
    return { session, release };
  }

  close(): void {
    for (const id of [...this.sessions.keys()]) this.end(id);
  }

  private end(id: string): void {
    const session = this.sessions.get(id);
    if (!session) return;
    clearTimeout(session.expires);
    this.sessions.delete(id);
    session.connection.close();
  }
}
