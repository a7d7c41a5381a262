import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { EventBatch, RecordedEvent, WarehouseMigration } from '../../packages/eventsourcing';
import type { Consumer } from '../consumer';
import { type LandedRow, toRow } from './landed-rows';
import { LandingDoor } from './landing-door';

/** Events that a new table takes at a time while it gets its past, so that each statement stays short. */
const BACKFILL_EVENTS = 500_000;
const RETRY_MS = 1_000;

/** The warehouse among the consumers of the log. Storage format: what it cannot take is parked under this name. */
export const WAREHOUSE = 'clickhouse';

export interface LoaderOptions {
  /** Told of an event that cannot be made a row; it is left out then. Without it, the event ends the batch. */
  readonly park?: (event: RecordedEvent, error: unknown) => Promise<void> | void;
  readonly backfillEvents?: number;
}

/**
 * Brings the log into the landing table and the tables derived from it. One writer, large batches, deduplicated by position
 * before the insert; each derived table then takes the same range of positions inside ClickHouse. A table that is new gets its past
 * beside that, in the order of the migrations. Whatever a crash cuts short is taken up from what the tables themselves say.
 */
export class WarehouseLoader implements Consumer {
  readonly name = WAREHOUSE;
  readonly options = { maxBatch: 20_000, lingerMs: 200 };
  private readonly door: LandingDoor;
  private landed = 0n;
  private derived = new Map<string, bigint>();
  /** How far the log had come when each table last took rows. */
  private changed = new Map<string, bigint>();
  private readonly migrations: WarehouseMigration[];
  /** Those that still get their past, by name. */
  private readonly behind = new Set<string>();
  private backfilling: Promise<void> = Promise.resolve();
  /** Rises with each start; what an earlier one has under way then ends. */
  private start = 0;

  constructor(
    private readonly clickhouse: ClickHouseClient,
    migrations: readonly WarehouseMigration[],
    private readonly settings: LoaderOptions = {},
  ) {
    this.migrations = [...migrations];
    this.door = new LandingDoor(clickhouse);
  }

  /** Makes the tables. Any process may, also one that is not to load. */
  async prepare(): Promise<void> {
    for (const { create } of this.migrations) for (const query of create) await this.clickhouse.command({ query });
  }

  /** From here on this loader is the one. */
  async position(): Promise<bigint | undefined> {
    this.start++;
    await this.backfilling;
    await this.prepare();
    await this.door.open();
    this.landed = await this.scalar('SELECT max(position) FROM events');
    await this.readWatermarks();
    await this.forgetOthers();
    this.behind.clear();
    await this.admit(this.migrations);
    await this.derive(undefined);
    this.backfill();
    return this.landed === 0n ? undefined : this.landed;
  }

  async apply({ events }: EventBatch): Promise<void> {
    const fresh = events.filter(({ position }) => position > this.landed);
    if (fresh.length === 0) return;
    const values = await this.rowsOf(fresh);
    if (values.length > 0) await this.door.insert(values);
    this.landed = fresh[fresh.length - 1]!.position;
    await this.derive(new Set(fresh.map(({ type }) => type)));
  }

  private async rowsOf(events: readonly RecordedEvent[]): Promise<LandedRow[]> {
    const rows: LandedRow[] = [];
    for (const event of events) {
      try {
        rows.push(toRow(event));
      } catch (error) {
        if (!this.settings.park) throw error;
        await this.settings.park(event, error);
      }
    }
    return rows;
  }

  /** Adds a table to a loader that runs. Its past comes beside what happens meanwhile; await `backfilled` to see it whole. */
  async add(migration: WarehouseMigration): Promise<void> {
    for (const query of migration.create) await this.clickhouse.command({ query });
    await this.admit([migration]);
    this.migrations.push(migration);
    this.backfill();
  }

  /** Resolves once every table has its past. */
  backfilled(): Promise<void> {
    return this.backfilling;
  }

  /** Tables without a watermark are new. They get one at once, so that nobody takes them for whole before they are. */
  private async admit(migrations: readonly WarehouseMigration[]): Promise<void> {
    const derived = migrations.filter(({ name, derive }) => derive && !this.derived.has(name));
    const names = derived.map(({ name }) => name);
    if (this.landed > 0n) for (const name of names) this.behind.add(name);
    if (names.length > 0) await this.mark(names, 0n);
  }

  /**
   * Brings every derived table that has its past up to what has landed.
   * @param types of the events that landed since; undefined when that is not known
   */
  private async derive(types: ReadonlySet<string> | undefined): Promise<void> {
    const upTo = this.landed;
    const moved: string[] = [];
    for (const migration of this.migrations) {
      const { name, derive, derivesFrom } = migration;
      const after = this.derived.get(name) ?? 0n;
      if (!derive || after >= upTo || this.behind.has(name)) continue;
      const concerned = !types || !derivesFrom || derivesFrom.some((type) => types.has(type));
      if (concerned) {
        await this.deriveRange(derive, after, upTo);
        this.changed.set(name, upTo);
      }
      moved.push(name);
    }
    if (moved.length > 0) await this.mark(moved, upTo);
  }

  /** Starts what gives new tables their past, unless it is under way. What fails is tried again until it succeeds. */
  private backfill(): void {
    const { start } = this;
    this.backfilling = this.backfilling.then(async () => {
      for (const migration of [...this.migrations]) {
        while (this.behind.has(migration.name) && start === this.start) {
          await this.backfillSome(migration).catch(() => delay(RETRY_MS, undefined, { ref: false }));
        }
      }
    });
  }

  private async backfillSome({ name, derive }: WarehouseMigration): Promise<void> {
    const after = this.derived.get(name) ?? 0n;
    const query = `SELECT max(position) FROM
      (SELECT position FROM events WHERE position > ${after} AND position <= ${this.landed} ORDER BY position LIMIT ${this.settings.backfillEvents ?? BACKFILL_EVENTS})`;
    const upTo = await this.scalar(query);
    await this.deriveRange(derive!, after, upTo);
    this.changed.set(name, upTo);
    await this.mark([name], upTo);
    // Nothing is awaited between this comparison and the next batch: from here on the table goes with the others.
    if (upTo === this.landed) this.behind.delete(name);
  }

  private async deriveRange(query: string, after: bigint, upTo: bigint): Promise<void> {
    const query_params = { after: after.toString(), upTo: upTo.toString() };
    await this.clickhouse.command({ query, query_params });
  }

  private async mark(names: readonly string[], position: bigint): Promise<void> {
    const values = names.map((name) => ({
      name,
      position: position.toString(),
      changed: (this.changed.get(name) ?? 0n).toString(),
    }));
    await this.clickhouse.insert({ table: 'watermarks', values, format: 'JSONEachRow' });
    for (const name of names) this.derived.set(name, position);
  }

  /** The watermarks of tables that no migration derives any more would hold back everybody who asks how far the warehouse is. */
  private async forgetOthers(): Promise<void> {
    const names = this.migrations.map(({ name }) => name);
    if ([...this.derived.keys()].every((name) => names.includes(name))) return;
    await this.clickhouse.command({
      query: 'DELETE FROM watermarks WHERE name NOT IN {names:Array(String)}',
      query_params: { names },
    });
    await this.readWatermarks();
  }

  private async readWatermarks(): Promise<void> {
    const query =
      'SELECT name, toString(max(position)) AS position, toString(max(changed)) AS changed FROM watermarks GROUP BY name';
    const answer = await this.clickhouse.query({ query, format: 'JSONEachRow' });
    const rows = await answer.json<{ name: string; position: string; changed: string }>();
    this.derived = new Map(rows.map(({ name, position }) => [name, BigInt(position)]));
    this.changed = new Map(rows.map(({ name, changed }) => [name, BigInt(changed)]));
  }

  private async scalar(query: string): Promise<bigint> {
    const answer = await this.clickhouse.query({ query, format: 'TabSeparated' });
    return BigInt((await answer.text()).trim());
  }
}
