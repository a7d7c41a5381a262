import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { EventBatch, RecordedEvent, WarehouseMigration } from '../../packages/eventsourcing';
import { atOnce } from '../at-once';
import { moved } from '../bell';
import type { Consumer } from '../consumer';
import { type Derivation, type DerivedTable, inGroups, touches } from './derived-tables';
import { type LandedRow, toRow } from './landed-rows';
import { LandingDoor } from './landing-door';
import { makeTables } from './make-tables';
import { TableBuilds } from './table-builds';

/** Events that a table takes at a time while it gets its past, so that each statement stays short. */
const BACKFILL_EVENTS = 500_000;
/** So many at most are taken while the next batch waits. */
const LAST_EVENTS = 20_000;
const RETRY_MS = 1_000;
/** Tables that take a batch side by side. */
const DERIVED_AT_ONCE = 3;

/** The warehouse among the consumers of the log. Storage format: what it cannot take is parked under this name. */
export const WAREHOUSE = 'clickhouse';

export interface LoaderOptions {
  /** Told of an event that cannot be made a row; it is left out then. Without it, the event ends the batch. */
  readonly park?: (event: RecordedEvent, error: unknown) => Promise<void> | void;
  readonly backfillEvents?: number;
  /** The database is empty and nobody else's: there is nothing to go on from, and nobody to shut out. */
  readonly alone?: boolean;
}

/** Rows that come of the log by these statements, all as far as each other. */
export interface Feed {
  readonly derivations: readonly Derivation[];
  /** Up to where it has its rows. */
  position: bigint;
  /** Remembers that. */
  readonly mark: (position: bigint) => Promise<void>;
}

/** The loader began anew, or its lease ran out: what belongs to an earlier start ends. */
export class EarlierStartError extends Error {
  override name = 'EarlierStartError';
}

/**
 * Brings the log into the landing table and the tables derived from it. One writer, large batches, deduplicated by position
 * before the insert; each derived table then takes the same range of positions inside ClickHouse. A table that is new, or is built anew, gets its
 * past beside that. Whatever a crash cuts short is taken up from what the tables themselves say.
 */
export class WarehouseLoader implements Consumer {
  readonly name = WAREHOUSE;
  readonly options = { maxBatch: 20_000, lingerMs: 200 };
  readonly builds: TableBuilds;
  private readonly door: LandingDoor;
  private landed = 0n;
  private derived = new Map<string, bigint>();
  /** How far the log had come when each table last took rows. */
  private changed = new Map<string, bigint>();
  private readonly migrations: WarehouseMigration[];
  /** Those that still get their past, by name. */
  private readonly behind = new Set<string>();
  /** Tables of another version than this process knows, which stay as they are until what is built takes their place. */
  private frozen: ReadonlySet<string> = new Set();
  /** What will take the place of tables, and is fed before them. */
  private joining: readonly Feed[] = [];
  private backfilling: Promise<void> = Promise.resolve();
  private turn: Promise<unknown> = Promise.resolve();
  /** Rises with each start; what an earlier one has under way then ends. */
  private start = 0;
  private isStarted = false;

  constructor(
    private readonly clickhouse: ClickHouseClient,
    migrations: readonly WarehouseMigration[],
    private readonly settings: LoaderOptions = {},
  ) {
    this.migrations = [...migrations];
    this.door = new LandingDoor(clickhouse);
    this.builds = new TableBuilds(clickhouse, migrations);
  }

  /** What the current start may write, by name; undefined when it may nothing. */
  get term(): string | undefined {
    return this.isStarted ? this.door.term : undefined;
  }

  /** Makes the tables that are missing. Any process may, also one that is not to load. */
  async prepare(): Promise<void> {
    const statements = this.migrations.flatMap(({ create }) => create);
    await makeTables(this.clickhouse, statements, this.settings.alone);
  }

  /** From here on this loader is the one. @throws OtherVersionError when a table is wanted in another version than it knows */
  async position(): Promise<bigint | undefined> {
    this.start++;
    this.isStarted = false;
    await this.backfilling;
    await this.exclusively(() => this.begin());
    this.backfill();
    return this.landed === 0n ? undefined : this.landed;
  }

  async apply({ events }: EventBatch): Promise<void> {
    const fresh = events.filter(({ position }) => position > this.landed);
    if (fresh.length === 0) return;
    const values = await this.rowsOf(fresh);
    await this.exclusively(async () => {
      if (values.length > 0) await this.land(values);
      this.landed = fresh[fresh.length - 1]!.position;
      await this.derive(new Set(fresh.map(({ type }) => type)));
    });
  }

  /** Adds a table to a loader that runs. Its past comes beside what happens meanwhile; await `backfilled` to see it whole. */
  async add(migration: WarehouseMigration): Promise<void> {
    await makeTables(this.clickhouse, migration.create);
    await this.admit([migration]);
    this.migrations.push(migration);
    this.backfill();
  }

  /** Resolves once every table has its past. */
  backfilled(): Promise<void> {
    return this.backfilling;
  }

  /** Gives what will take the place of a table its rows, and feeds it with every batch from then on. @throws EarlierStartError */
  async join(feed: Feed, signal: AbortSignal): Promise<void> {
    await this.catchUp(feed, signal, () => (this.joining = [...this.joining, feed]));
  }

  /** One after the other: batches, the last step of what catches up, and work between them. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined); // whoever asked for it is told
    return turn;
  }

  /**
   * Does the work between two batches, while the tables and what joins them are as far as what has landed.
   * @throws EarlierStartError
   */
  async between<T>(feed: Feed, work: (landed: bigint) => Promise<T>): Promise<T> {
    return this.exclusively(() => {
      if (!this.joining.includes(feed) || feed.position !== this.landed) throw new EarlierStartError('no longer fed');
      return work(this.landed);
    });
  }

  /** A table has other rows from here on, up to a position at least. @param feed that gave it them */
  async exchanged({ name: table, derivations }: DerivedTable, position: bigint, feed?: Feed): Promise<void> {
    this.joining = this.joining.filter((each) => each !== feed);
    this.frozen = new Set([...this.frozen].filter((name) => name !== table));
    for (const { name } of derivations) {
      this.behind.delete(name);
      const reached = this.derived.get(name) ?? 0n;
      this.changed.set(name, this.landed);
      await this.mark([name], reached > position ? reached : position);
    }
    await this.derive(undefined);
  }

  /** Up to where a table has its rows. */
  reachedBy({ derivations }: DerivedTable): bigint {
    return derivations.map(({ name }) => this.derived.get(name) ?? 0n).reduce((a, b) => (a < b ? a : b));
  }

  private async begin(): Promise<void> {
    await this.prepare();
    if (!this.settings.alone) await this.takeOver();
    this.behind.clear();
    this.joining = [];
    await this.admit(this.migrations);
    await this.derive(undefined);
    this.isStarted = true;
  }

  private async takeOver(): Promise<void> {
    await this.beginBuilds();
    await this.door.open();
    this.landed = await this.scalar('SELECT max(position) FROM events');
    await this.readWatermarks();
    await this.forgetOthers();
  }

  private async land(values: readonly LandedRow[]): Promise<void> {
    if (this.settings.alone) await this.clickhouse.insert({ table: 'events', values, format: 'JSONEachRow' });
    else await this.door.insert(values);
  }

  private async beginBuilds(): Promise<void> {
    const { tables } = this.builds;
    const states = await this.builds.begin(async () => {
      await this.readWatermarks();
      const loaded = tables.filter(({ derivations }) => derivations.some(({ name }) => this.derived.has(name)));
      return new Set(loaded.map(({ name }) => name));
    });
    const versions = new Map(states.map(({ _id, active }) => [_id, active.version]));
    const frozen = tables.filter(({ name, version }) => versions.get(name) !== version);
    this.frozen = new Set(frozen.map(({ name }) => name));
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

  /** Tables without a watermark are new. They get one at once, so that nobody takes them for whole before they are. */
  private async admit(migrations: readonly WarehouseMigration[]): Promise<void> {
    const names = migrations.filter(isDerivation).map(({ name }) => name);
    const fresh = names.filter((name) => !this.derived.has(name));
    if (this.landed > 0n) for (const name of fresh) this.behind.add(name);
    if (fresh.length > 0) await this.mark(fresh, 0n);
  }

  /** Those that are fed: neither on their way nor frozen. */
  private fed(): Derivation[] {
    return this.migrations.filter(isDerivation).filter((each) => !this.behind.has(each.name) && !this.isFrozen(each));
  }

  /** What is derived from a frozen table would miss what that misses. */
  private isFrozen(derivation: Derivation): boolean {
    return touches(derivation, this.frozen);
  }

  /**
   * Brings every derived table that has its past up to what has landed, each after what will take its place, and after those that it is
   * derived from.
   * @param types of the events that landed since; undefined when that is not known
   */
  private async derive(types: ReadonlySet<string> | undefined): Promise<void> {
    const upTo = this.landed;
    const fed = this.fed().filter(({ name }) => (this.derived.get(name) ?? 0n) < upTo);
    const isConcerned = ({ derivesFrom }: Derivation): boolean =>
      !types || !derivesFrom || derivesFrom.some((type) => types.has(type));
    const deriveOne = async (derivation: Derivation): Promise<void> => {
      for (const { derivations, position } of this.joining) {
        const own = derivations.find(({ name }) => name === derivation.name);
        if (own) await this.deriveRange(own, position, upTo);
      }
      if (!fed.includes(derivation)) return;
      await this.deriveRange(derivation, this.derived.get(derivation.name) ?? 0n, upTo);
      this.changed.set(derivation.name, upTo);
    };
    for (const group of inGroups(this.migrations.filter(isDerivation))) {
      await atOnce(DERIVED_AT_ONCE, group.filter(isConcerned), deriveOne);
    }
    for (const feed of this.joining) feed.position = upTo;
    const names = fed.map(({ name }) => name);
    if (names.length > 0) await this.mark(names, upTo);
  }

  /** Starts what gives new tables their past, unless it is under way. What fails is tried again until it succeeds. */
  private backfill(): void {
    const { start } = this;
    this.backfilling = this.backfilling.then(async () => {
      for (const migration of this.migrations.filter(isDerivation)) {
        while (this.behind.has(migration.name) && !this.isFrozen(migration) && start === this.start) {
          await this.backfillOne(migration).catch(() => delay(RETRY_MS, undefined, { ref: false }));
        }
      }
    });
  }

  private async backfillOne(migration: Derivation): Promise<void> {
    const { name } = migration;
    const mark = async (position: bigint): Promise<void> => {
      this.changed.set(name, position);
      await this.mark([name], position);
    };
    const feed = { derivations: [migration], position: this.derived.get(name) ?? 0n, mark };
    await this.catchUp(feed, undefined, () => this.behind.delete(name));
  }

  /**
   * Gives a feed its rows in steps, beside what happens, and the last of them between two batches.
   * @param arrived called then
   */
  private async catchUp(feed: Feed, signal: AbortSignal | undefined, arrived: () => unknown): Promise<void> {
    const { start } = this;
    const most = this.settings.backfillEvents ?? BACKFILL_EVENTS;
    for (;;) {
      if (start !== this.start || signal?.aborted) throw new EarlierStartError('began anew');
      const { events, upTo } = await this.nextRange(feed.position, most);
      if (events < Math.min(most, LAST_EVENTS)) break;
      await this.feedUpTo(feed, upTo);
    }
    await this.exclusively(async () => {
      if (start !== this.start) throw new EarlierStartError('began anew');
      await this.feedUpTo(feed, this.landed);
      arrived();
    });
  }

  private async feedUpTo(feed: Feed, upTo: bigint): Promise<void> {
    if (upTo > feed.position) for (const each of feed.derivations) await this.deriveRange(each, feed.position, upTo);
    feed.position = upTo;
    await feed.mark(upTo);
  }

  /** Of what has landed after a position the next `most` events that everything which others are derived from has. */
  private async nextRange(after: bigint, most: number): Promise<{ events: number; upTo: bigint }> {
    const positions = this.fed().map(({ name }) => this.derived.get(name) ?? 0n);
    const reached = positions.reduce((a, b) => (a < b ? a : b), this.landed);
    const query = `SELECT toUInt32(count()) AS events, toString(max(position)) AS upTo FROM
      (SELECT position FROM events WHERE position > ${after} AND position <= ${reached} ORDER BY position LIMIT ${most})`;
    const answer = await this.clickhouse.query({ query, format: 'JSONEachRow' });
    const [range] = await answer.json<{ events: number; upTo: string }>();
    return { events: range!.events, upTo: BigInt(range!.upTo) };
  }

  private async deriveRange({ derive: query }: Derivation, after: bigint, upTo: bigint): Promise<void> {
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
    moved.warehouse.ring();
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

function isDerivation(migration: WarehouseMigration): migration is Derivation {
  return migration.derive !== undefined;
}
