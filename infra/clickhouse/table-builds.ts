import type { ClickHouseClient } from '@clickhouse/client';
import {
  type BuildResult,
  type CollectionComparison,
  isOutdated,
  previousOf,
  type ReadModelState,
  type WarehouseMigration,
} from '../../packages/eventsourcing';
import { asked } from '../bell';
import { type DerivedTable, derivedTables } from './derived-tables';

/** One build of a table, at its newest step. A row of `table_builds`; storage format. */
export interface TableBuild {
  readonly table_name: string;
  readonly build: number;
  /** The build whose rows it goes back to; 0 where they are made anew. */
  readonly returns_to: number;
  readonly version: number;
  readonly phase: 'asked' | 'catching-up' | 'joining' | 'live';
  /** Up to where it has its rows, in decimals. */
  readonly position: string;
  /** Up to where the one that it takes the place of had its rows, in decimals. */
  readonly left_at: string;
  /** As ClickHouse writes times. */
  readonly started_at: string;
  readonly switched_at: string | null;
  /** JSON; '' where there was nothing to compare with. */
  readonly compared: string;
  readonly step: number;
}

/** How far a table is, and what takes its place. */
export interface TableProgress {
  readonly state: ReadModelState;
  readonly position: bigint;
  /** Of what takes its place. */
  readonly building: bigint;
}

/** The table that holds what was read before. */
export const previousName = (table: string): string => `${table}__previous`;
/** What the names of tables that take the place of another begin with. */
export const nextName = (table: string, term = ''): string => `${table}__next_${term}`;
/** The build that made the rows of a table: what is told apart by it is renamed and exchanged. */
export const contentOf = ({ build, returns_to }: TableBuild): number => returns_to || build;

/**
 * What ClickHouse itself remembers of the builds of its derived tables. Anybody may ask for one; the steps are taken by the loader, of
 * which there is one at a time.
 */
export class TableBuilds {
  readonly tables: readonly DerivedTable[];
  private hasBegun = false;

  constructor(
    private readonly clickhouse: ClickHouseClient,
    migrations: readonly WarehouseMigration[],
  ) {
    this.tables = derivedTables(migrations);
  }

  /**
   * Enters every table, and asks for those that have a new version; the latter only at the start of a process, so that it does not undo what
   * another does to go back.
   * @param loaded gives the tables that have rows; asked where one is not entered
   * @returns what was read of each table before anything was asked
   * @throws OtherVersionError when another version than this process knows is wanted
   */
  async begin(loaded: () => Promise<ReadonlySet<string>>): Promise<ReadModelState[]> {
    const known = new Map(await this.read());
    const unknown = this.tables.filter(({ name }) => !known.has(name));
    for (const build of unknown.length > 0 ? await this.enter(unknown, await loaded()) : []) {
      known.set(build.table_name, [build]);
    }
    const states = this.statesOf(known);
    for (const state of states) {
      const { version } = this.tableOf(state._id)!;
      if (isOutdated(state, version, this.hasBegun)) await this.ask(state, 0);
    }
    this.hasBegun = true;
    return states;
  }

  private async enter(tables: readonly DerivedTable[], loaded: ReadonlySet<string>): Promise<TableBuild[]> {
    const entered = tables.map(({ name, version }): TableBuild => {
      // What has rows and is not entered was made before there were versions.
      return { ...BLANK, table_name: name, build: 1, version: loaded.has(name) ? 1 : version, phase: 'live' };
    });
    await this.clickhouse.insert({ table: 'table_builds', values: entered, format: 'JSONEachRow' });
    return entered;
  }

  /** The builds of each table, oldest first. */
  async read(): Promise<ReadonlyMap<string, readonly TableBuild[]>> {
    const answer = await this.clickhouse.query({ query: BUILDS, format: 'JSONEachRow' });
    const builds = new Map<string, TableBuild[]>();
    for (const build of await answer.json<TableBuild>()) {
      builds.set(build.table_name, [...(builds.get(build.table_name) ?? []), build]);
    }
    return builds;
  }

  /** Takes a build a step further. */
  async write(build: TableBuild): Promise<TableBuild> {
    const next = { ...build, step: build.step + 1 };
    await this.clickhouse.insert({ table: 'table_builds', values: [next], format: 'JSONEachRow' });
    asked.ring();
    return next;
  }

  async list(): Promise<ReadModelState[]> {
    return this.statesOf(await this.read());
  }

  async progress(): Promise<TableProgress[]> {
    const known = await this.read();
    const answer = await this.clickhouse.query({ query: WATERMARKS, format: 'JSONEachRow' });
    const rows = await answer.json<{ name: string; reached: string }>();
    const reached = new Map(rows.map(({ name, reached: position }) => [name, BigInt(position)]));
    return this.tables.flatMap(({ name, derivations }) => {
      const builds = known.get(name) ?? [];
      const state = stateOf(name, builds);
      const positions = derivations.map((each) => reached.get(each.name) ?? 0n);
      const position = positions.reduce((a, b) => (a < b ? a : b));
      return state ? [{ state, position, building: BigInt(builds.at(-1)!.position) }] : [];
    });
  }

  /** Asks for a new table beside the one that is read; gives the state. What is being built already is left to it. */
  async rebuild(name: string): Promise<ReadModelState | undefined> {
    const state = await this.find(name);
    if (state && !state.building) await this.ask(state, 0);
    return this.find(name);
  }

  /** Asks for what was read before, brought up to the log. @throws NoPreviousError */
  async rollback(name: string): Promise<ReadModelState | undefined> {
    const state = await this.find(name);
    if (!state || state.building) return state;
    previousOf(state, this.tableOf(name)!.version);
    const live = (await this.read()).get(name)!.filter(({ phase }) => phase === 'live');
    await this.ask(state, contentOf(live.at(-2)!));
    return this.find(name);
  }

  private async find(name: string): Promise<ReadModelState | undefined> {
    return (await this.list()).find(({ _id }) => _id === name);
  }

  private statesOf(known: ReadonlyMap<string, readonly TableBuild[]>): ReadModelState[] {
    return this.tables.flatMap(({ name }) => stateOf(name, known.get(name) ?? []) ?? []);
  }

  private tableOf(name: string): DerivedTable | undefined {
    return this.tables.find((table) => table.name === name);
  }

  /** Two who ask at the same time ask for the same. */
  private async ask({ _id: table_name, builds }: ReadModelState, returns_to: number): Promise<void> {
    const { version } = this.tableOf(table_name)!;
    const started_at = new Date().toISOString().replace('T', ' ').replace('Z', '');
    await this.write({ ...BLANK, table_name, build: builds + 1, returns_to, version, phase: 'asked', started_at });
  }
}

const BLANK = {
  returns_to: 0,
  position: '0',
  left_at: '0',
  started_at: '1970-01-01 00:00:00.000',
  switched_at: null,
  compared: '',
  step: 0,
};

const BUILDS = `
  SELECT table_name, build, returns_to, version, phase, toString(position) AS position, toString(left_at) AS left_at, started_at, switched_at,
    compared, step
  FROM table_builds FINAL
  ORDER BY table_name, build`;

const WATERMARKS = 'SELECT name, toString(max(position)) AS reached FROM watermarks GROUP BY name';

function stateOf(table: string, builds: readonly TableBuild[]): ReadModelState | undefined {
  const live = builds.filter(({ phase }) => phase === 'live');
  const [active, previous] = [live.at(-1), live.at(-2)];
  const next = builds.at(-1);
  if (!active || !next) return undefined;
  const last = live.findLast(({ switched_at }) => switched_at !== null);
  return {
    _id: table,
    active: { collection: table, version: active.version },
    frozenAt: null,
    building:
      next.phase === 'live'
        ? null
        : { ...toBuild(next, nextName(table)), phase: phaseOf(next), startedAt: isoOf(next.started_at) },
    previous: previous ? toBuild(previous, previousName(table)) : null,
    builds: next.build,
    last: last ? resultOf(last) : null,
  };
}

function toBuild({ version }: TableBuild, collection: string) {
  return { collection, version };
}

function phaseOf({ phase }: TableBuild): 'catching-up' | 'joining' {
  return phase === 'joining' ? 'joining' : 'catching-up';
}

function resultOf(build: TableBuild): BuildResult {
  const { table_name, started_at, switched_at, compared } = build;
  return {
    ...toBuild(build, table_name),
    startedAt: isoOf(started_at),
    switchedAt: isoOf(switched_at!),
    compared: compared === '' ? null : (JSON.parse(compared) as CollectionComparison),
  };
}

function isoOf(time: string): string {
  return `${time.replace(' ', 'T')}Z`;
}
