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
}

/** The SQL of the reports. */
export interface ReportSql {
  /** A report by its name. `given`: the people whom it is about come as the parameters `below` and `team`. */
  readonly report: (name: string, people?: 'given') => string;
  /** The column that says whose its rows are, where the people of several managers can be `given` at once. */
  readonly partedBy: (name: string) => 'manager' | 'person' | undefined;
  /**
   * Find them: of `managers` each `manager` with `people`, themselves and everybody below, `most` of them; then of the parameter
   * `below` each `person` whom the report is about.
   */
  readonly people: { readonly below: string; readonly team: string };
  /** What that is read from: tables with `occurred_at`, and the migrations that take everything that changes its answer. */
  readonly peopleFrom: { readonly tables: readonly string[]; readonly migrations: readonly string[] };
}
