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
