import { randomBytes } from 'node:crypto';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { RecordedEvent, WarehouseMigration } from '../../packages/eventsourcing';
import { WarehouseLoader } from './warehouse-loader';

/** Events per insert: what follows from them is derived once per batch. */
const BATCH = 20_000;
/** A database that nobody has written to for so long was left over by a process that died, in minutes. */
const ABANDONED_AFTER = 15;
const PREFIX = 'attest_scratch_';

/**
 * A warehouse of its own, beside the real one in the same ClickHouse: built from events by the same loader and the same SQL, asked, and
 * dropped. Needs the rights to create and drop databases.
 */
export class ScratchWarehouse {
  private waiting: RecordedEvent[] = [];
  private readonly loader: WarehouseLoader;
  /** What could not be made a row, and why. */
  readonly parked: { readonly event: RecordedEvent; readonly error: unknown }[] = [];

  private constructor(
    readonly database: string,
    readonly clickhouse: ClickHouseClient,
    migrations: readonly WarehouseMigration[],
  ) {
    const park = (event: RecordedEvent, error: unknown): void => void this.parked.push({ event, error });
    this.loader = new WarehouseLoader(clickhouse, migrations, { park, alone: true });
  }

  /**
   * Hands an empty one to `work` and drops it afterwards, whatever becomes of the work. Also drops those that dead processes left over.
   * @param url of the real one; the database in its path, or `database` in its query, is replaced
   * @param abandonedAfter minutes
   */
  static async use<T>(
    url: string,
    migrations: readonly WarehouseMigration[],
    work: (scratch: ScratchWarehouse) => Promise<T>,
    abandonedAfter = ABANDONED_AFTER,
  ): Promise<T> {
    // The time in the name tells a database that was just created from one that was left over.
    const database = `${PREFIX}${Date.now()}_${randomBytes(4).toString('hex')}`;
    const root = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
    const own = new URL(url);
    own.pathname = `/${database}`;
    const clickhouse = createClient({ url: own, log: { level: ClickHouseLogLevel.OFF } });
    try {
      await dropAbandoned(root, abandonedAfter);
      await root.command({ query: `CREATE DATABASE ${database}` });
      try {
        const scratch = new ScratchWarehouse(database, clickhouse, migrations);
        await scratch.loader.position();
        return await work(scratch);
      } finally {
        await root.command({ query: `DROP DATABASE IF EXISTS ${database}` });
      }
    } finally {
      await clickhouse.close();
      await root.close();
    }
  }

  /** In the order of the log. */
  async add(event: RecordedEvent): Promise<void> {
    this.waiting.push(event);
    if (this.waiting.length >= BATCH) await this.flush();
  }

  /** Everything that was added can be asked about from here on. */
  async flush(): Promise<void> {
    const events = this.waiting;
    if (events.length === 0) return;
    this.waiting = [];
    await this.loader.apply({ events, position: events[events.length - 1]!.position, caughtUp: true });
  }
}

async function dropAbandoned(root: ClickHouseClient, minutes: number): Promise<void> {
  const answer = await root.query({
    query: ABANDONED,
    query_params: { prefix: PREFIX, minutes },
    format: 'JSONEachRow',
  });
  for (const { name } of await answer.json<{ name: string }>()) {
    await root.command({ query: `DROP DATABASE IF EXISTS ${name}` });
  }
}

const ABANDONED = `
  SELECT name
  FROM system.databases
  WHERE startsWith(name, {prefix:String})
    AND fromUnixTimestamp64Milli(toInt64OrZero(splitByChar('_', name)[3])) < now() - toIntervalMinute({minutes:UInt32})
    AND name NOT IN
    (
        SELECT database
        FROM system.parts
        WHERE startsWith(database, {prefix:String}) AND modification_time > now() - toIntervalMinute({minutes:UInt32})
    )`;
