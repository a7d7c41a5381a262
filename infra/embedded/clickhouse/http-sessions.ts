import { ClickHouseException } from './exception';
import { Connection } from './connection';

const DEFAULT_TIMEOUT = 60;
const LONGEST_TIMEOUT = 3_600;

interface HttpSession {
  readonly connection: Connection;
  busy: boolean;
  expires: NodeJS.Timeout | undefined;
}

/** Connections that stay open between requests under a `session_id`, with their settings and temporary tables. */
export class HttpSessions {
  private readonly sessions = new Map<string, HttpSession>();

  constructor(private readonly dataDir: string) {}

  /**
   * The session's connection, and the function that gives it back.
   * @param timeout seconds that the session outlives this request
   * @throws ClickHouseException when it is in use, or must exist (`session_check=1`) and does not
   */
  take(
    user: string,
    id: string,
    mustExist: boolean,
    timeout = DEFAULT_TIMEOUT,
  ): { connection: Connection; release: () => void } {
    if (!(timeout >= 0 && timeout <= LONGEST_TIMEOUT)) {
      throw new ClickHouseException(
        374,
        'INVALID_SESSION_TIMEOUT',
        `Session timeout must be between 0 and ${LONGEST_TIMEOUT}.`,
      );
    }
    const key = JSON.stringify([user, id]);
    let session = this.sessions.get(key);
    if (!session && mustExist) throw new ClickHouseException(372, 'SESSION_NOT_FOUND', `Session ${id} not found.`);
    if (session?.busy)
      throw new ClickHouseException(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client.`);
    session ??= { connection: new Connection(this.dataDir), busy: false, expires: undefined };
    clearTimeout(session.expires);
    session.busy = true;
    this.sessions.set(key, session);
    const taken = session;
    const release = (): void => {
      taken.busy = false;
      taken.expires = setTimeout(() => this.end(key), timeout * 1000).unref();
    };
    return { connection: taken.connection, release };
  }

  close(): void {
    for (const key of [...this.sessions.keys()]) this.end(key);
  }

  private end(key: string): void {
    const session = this.sessions.get(key);
    clearTimeout(session?.expires);
    this.sessions.delete(key);
    session?.connection.close();
  }
}
