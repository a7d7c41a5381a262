import { is } from '../sql/statement';
import type { Connection } from './chdb';
import type { Query } from './query';

/** How many wait at most, over all kinds. Each has a thread of its own. */
const MOST_IDLE = 16;
/** Statements that leave nothing behind on their connection, but for temporary tables. */
const TRACELESS = new Set(['SELECT', 'WITH', 'INSERT', 'CREATE', 'DROP', 'ALTER', 'EXISTS', 'EXCHANGE', 'RENAME']);

/** A connection for one query, and how it goes back. */
export interface Lent {
  readonly connection: Connection;
  /** Has the settings, the database and the names of parameters that the query asks for, from one like it before. */
  readonly isUsed: boolean;
  /** May go to other queries afterwards. */
  readonly isShared: boolean;
  /** @param isSound whether the query ended as it should: after anything else nobody gets the connection again */
  readonly release: (isSound: boolean) => void;
}

/**
 * Connections that are used again by queries that ask for the same settings, database and parameters: to open one, make it the query's own and
 * close it takes as long as many a query. Those that may only read, and statements that change the connection itself, get one of their own.
 */
export class Connections {
  /** By what the queries ask for, those that were used last at the end. */
  private readonly idle: { readonly kind: string; readonly connection: Connection }[] = [];
  private closed = false;

  constructor(private readonly connect: () => Connection) {}

  take(query: Query): Lent {
    const kind = kindOf(query);
    const at = kind === undefined ? -1 : this.idle.findLastIndex((each) => each.kind === kind);
    const connection = at < 0 ? this.connect() : this.idle.splice(at, 1)[0]!.connection;
    const release = (isSound: boolean): void => {
      if (kind === undefined || !isSound || this.closed) return connection.close();
      this.idle.push({ kind, connection });
      if (this.idle.length > MOST_IDLE) this.idle.shift()!.connection.close();
    };
    return { connection, isUsed: at >= 0, isShared: kind !== undefined, release };
  }

  close(): void {
    this.closed = true;
    for (const { connection } of this.idle.splice(0)) connection.close();
  }
}

/** Undefined for a query whose connection nobody else may have. */
function kindOf({ user, readonly, statement, database, settings, parameters }: Query): string | undefined {
  const isTraceless = TRACELESS.has(statement.verb) && !statement.tokens.some((token) => is(token, 'TEMPORARY'));
  if (user !== 'default' || readonly > 0 || !isTraceless) return undefined;
  return JSON.stringify([database, [...settings].sort(), [...parameters.keys()].sort()]);
}
