import { type ChdbQueryStream, Session } from 'chdb';

/** What came of a statement that answers no rows. */
export interface Written {
  readonly text: string;
}

/** A setting's or parameter's value as an SQL string. */
function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const NAME = /^[A-Za-z_]\w*$/;

/**
 * One connection to the engine in this process: settings, parameters, current database and temporary tables are its own, and it runs one
 * query at a time. Opening one costs a fraction of a millisecond, so that every request has a fresh one and nothing leaks.
 */
export class Connection {
  private readonly session: Session;

  constructor(dataDir: string) {
    this.session = new Session(dataDir);
  }

  /** The database in which names without one are looked up. */
  async use(database: string): Promise<void> {
    await this.session.queryAsync(`USE \`${database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``);
  }

  /** Sets settings or, with the prefix `param_`, query parameters, whose values ClickHouse itself parses. */
  async set(settings: Iterable<readonly [name: string, value: string]>): Promise<void> {
    const assignments = [...settings].map(([name, value]) => `${checked(name)} = ${quoted(value)}`);
    if (assignments.length > 0) await this.session.queryAsync(`SET ${assignments.join(', ')}`);
  }

  /** The same from a SETTINGS clause. */
  async setClause(clause: string): Promise<void> {
    await this.session.queryAsync(`SET ${clause}`);
  }

  /** Runs a statement; gives what it answers, if anything. */
  async run(text: string, format: string): Promise<Uint8Array> {
    return (await this.session.queryAsync(text, { format })).bytes();
  }

  /** The result piece by piece, never whole in memory. */
  stream(text: string, format: string): ChdbQueryStream {
    return this.session.queryStream(text, { format });
  }

  /** Inserts the content of a file, parsed by the engine itself. */
  async insertFile(text: string, file: string, format: string): Promise<void> {
    await this.session.queryAsync(`${text} FROM INFILE ${quoted(file)} COMPRESSION 'none' FORMAT ${format}`);
  }

  close(): void {
    this.session.close();
  }
}

function checked(name: string): string {
  if (!NAME.test(name)) throw new Error(`Code: 115. DB::Exception: Unknown setting '${name}'. (UNKNOWN_SETTING)`);
  return name;
}
