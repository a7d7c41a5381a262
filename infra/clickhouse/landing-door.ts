import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { LandedRow } from './landed-rows';

/**
 * The one way into the landing table. Each loader makes a door of its own, a table that keeps nothing and hands on to `events`, and removes the
 * doors of all others: whoever stalled inside an insert, and was taken for dead, finds when it wakes that its door is gone.
 */
export class LandingDoor {
  /** Known to ClickHouse as long as nobody else has taken over; names what this loader alone may write. */
  term = '';

  constructor(private readonly clickhouse: ClickHouseClient) {}

  /** Once this returns, every insert through another door is whole in `events`, or is refused and never will be there. */
  async open(): Promise<void> {
    this.term = randomBytes(6).toString('hex');
    await this.command(`CREATE TABLE ${this.name} AS events ENGINE = Null`);
    await this.command(`CREATE MATERIALIZED VIEW ${this.name}_view TO events AS SELECT * FROM ${this.name}`);
    // SYNC waits for what is under way.
    for (const other of await this.others()) await this.command(`DROP TABLE IF EXISTS ${other} SYNC`);
  }

  /** A batch is one part of one partition: it is there as a whole or not at all. @throws ClickHouseError when another loader has taken over */
  async insert(values: readonly LandedRow[]): Promise<void> {
    await this.clickhouse.insert({ table: this.name, values, format: 'JSONEachRow' });
  }

  private get name(): string {
    return `events__${this.term}`;
  }

  /** The doors before their views, for what goes through a door without a view is lost. */
  private async others(): Promise<string[]> {
    const query_params = { own: this.name };
    const answer = await this.clickhouse.query({ query: OTHERS, query_params, format: 'JSONEachRow' });
    return (await answer.json<{ name: string }>()).map(({ name }) => name);
  }

  private async command(query: string): Promise<void> {
    await this.clickhouse.command({ query });
  }
}

const OTHERS = `
  SELECT name
  FROM system.tables
  WHERE database = currentDatabase() AND startsWith(name, 'events__') AND NOT startsWith(name, {own:String})
    AND engine IN ('Null', 'MaterializedView')
  ORDER BY engine DESC, name`;
