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

/** Somebody below a manager, as far as a report needs to know them to say whose team they are in. */
export interface TeamMember {
  /** Person id of whom they report to. */
  readonly lead: string;
  readonly works: boolean;
  readonly employeeNumber: string;
}

/**
 * A report that is asked for so often that it is worth more code: of a small team, ClickHouse takes longer to understand a report that counts than
 * one that gives what is to be counted.
 */
export interface CountedReport {
  /** Takes the people as `{team:Array(UUID)}`. The first value of each row is the person whom it is about. */
  readonly sql: string;
  /**
   * @param rows by person
   * @param subtree the manager and everybody below, by person id
   * @returns what the report says of this manager
   */
  readonly count: (
    rows: ReadonlyMap<string, readonly (readonly unknown[])[]>,
    subtree: ReadonlyMap<string, TeamMember>,
    asked: { readonly manager: string; readonly asOf: string } & Readonly<Record<string, unknown>>,
  ) => object[];
}

/** The SQL of the reports. */
export interface ReportSql {
  /**
   * A report by its name. `given`: the people whom it is about come as parameters, each where the report names it: `below`, the manager and everybody
   * below; `team`, those of them who work here and are not the manager.
   */
  readonly report: (name: string, people?: 'given') => string;
  /** How a report about people who are `given` is counted from shorter rows; undefined for a report that ClickHouse counts. */
  readonly counted: (name: string) => CountedReport | undefined;
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
