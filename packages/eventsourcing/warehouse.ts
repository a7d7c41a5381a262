/** One numbered SQL file of the warehouse: tables to create, and the statement that derives their rows from a range of `events`. */
export interface WarehouseMigration {
  /** File name without its ending, for example `002-enrollment-facts`. */
  readonly name: string;
  /** Repeatable. */
  readonly create: readonly string[];
  /** Takes `{after:UInt64}` and `{upTo:UInt64}`; repeating it for the same range changes no answer. */
  readonly derive: string | undefined;
  /** Types of the events that its rows come from; any when left out. */
  readonly derivesFrom?: readonly string[] | undefined;
  /** 1 when left out. A higher one builds the table that it derives anew. */
  readonly version?: number;
}

/** The table that a migration derives rows of. */
export function targetOf({ derive }: Pick<WarehouseMigration, 'derive'>): string | undefined {
  return /^INSERT INTO (\w+)/.exec(derive ?? '')?.[1];
}

/** The SQL of the reports. */
export interface ReportSql {
  /**
   * A report by its name. `given`: the people whom it is about come as parameters, each where the report names it: `below`, the manager and everybody
   * below; `team`, those of them who work here and are not the manager, with `leads`, whom each of those reports to; and `leaders` with
   * `numbers`, the employee number of each of those.
   */
  readonly report: (name: string, people?: 'given') => string;
  /** The column that says whose its rows are, where the people of several managers can be `given` at once. */
  readonly partedBy: (name: string) => 'manager' | 'person' | undefined;
  /** What tells who they are. */
  readonly people: {
    /** Of the managers `ids` each `manager` with `people` who report to them; nothing of those to whom nobody does. */
    readonly teams: string;
    /** Of the people `ids` each `person`, with `works`, whether they work here, and `employeeNumber`. */
    readonly facts: string;
    /** What changed of both from position `after` to `upTo`: `managers` and `people`, `most` of each, and `latest`, when the last change takes effect. */
    readonly changes: string;
  };
  /** The migrations that take everything that changes the answers of `people`. */
  readonly peopleFrom: readonly string[];
}
