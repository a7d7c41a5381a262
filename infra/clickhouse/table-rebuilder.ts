import type { ClickHouseClient } from '@clickhouse/client';
import type { CollectionComparison, DocumentDifference } from '../../packages/eventsourcing';
import { LOOK } from '../bell';
import type { Log } from '../log';
import { repeatedly } from '../repeatedly';
import { type DerivedTable, renamed } from './derived-tables';
import { toDateTime64 } from './landed-rows';
import { contentOf, nextName, previousName, type TableBuild } from './table-builds';
import { type ComparableTable, comparableTables, compareTable } from './table-comparison';
import { EarlierStartError, type Feed, type WarehouseLoader } from './warehouse-loader';

/** Milliseconds from look to look while the loader has not started. */
const UNTIL_STARTED = 500;
const LISTED = 100;

/**
 * Builds tables beside those that queries read, one after the other: lets the loader fill them from what has landed and feed them like the
 * others, compares, and exchanges the two. Runs beside the loader, in the same process. The comment of a table says which build made its
 * rows: it goes with them when they are renamed and exchanged, so a step that a crash cut short is known by it.
 */
export class TableRebuilder {
  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly loader: WarehouseLoader,
    private readonly log: Log,
  ) {}

  /** @param isCurrent whether the loader still is the one */
  run(signal: AbortSignal, isCurrent: () => boolean = () => true): Promise<void> {
    return repeatedly(() => this.step(signal, isCurrent), this.log, signal);
  }

  private async step(signal: AbortSignal, isCurrent: () => boolean): Promise<number> {
    const { builds, term } = this.loader;
    if (!term) return UNTIL_STARTED;
    const known = await builds.read();
    for (const table of builds.tables) {
      const all = known.get(table.name) ?? [];
      const build = all.at(-1);
      const active = all.findLast(({ phase }) => phase === 'live');
      if (!build || !active || build === active) continue;
      const found = await this.contents(table.name);
      if (found.get(table.name) === contentOf(build)) {
        await this.loader.exclusively(() => this.finish(table, build));
      } else {
        const next = nextName(table.name, term);
        const prepared = await this.prepare(table, next, found, build, active);
        await this.build(table, next, prepared, active, signal, isCurrent);
      }
    }
    return LOOK;
  }

  /**
   * Has the table at hand that is to take the place of another, under a name of this term: what an earlier loader still wants to do to it
   * finds nothing.
   */
  private async prepare(
    { name, create }: DerivedTable,
    next: string,
    found: ReadonlyMap<string, number>,
    build: TableBuild,
    active: TableBuild,
  ): Promise<TableBuild> {
    const { phase, returns_to, position } = build;
    const content = contentOf(build);
    const begun = phase !== 'asked' || returns_to > 0;
    const own = begun ? [...found].find(([other, made]) => other !== name && made === content)?.[0] : undefined;
    for (const other of found.keys()) {
      if (other.startsWith(nextName(name)) && other !== own) await this.command(`DROP TABLE ${other}`);
    }
    if (own && own !== next) await this.command(`RENAME TABLE ${own} TO ${next}`);
    if (!own) {
      const [first = '', ...others] = create.map((statement) => renamed(statement, name, next));
      for (const query of [`${first} COMMENT '${COMMENT}${content}'`, ...others]) await this.command(query);
    }
    const from = phase === 'asked' ? active.left_at : position;
    return this.loader.builds.write({ ...build, phase: 'catching-up', position: own ? from : '0' });
  }

  private async build(
    table: DerivedTable,
    next: string,
    prepared: TableBuild,
    active: TableBuild,
    signal: AbortSignal,
    isCurrent: () => boolean,
  ): Promise<void> {
    const { loader } = this;
    let build = prepared;
    const step = async (to: Partial<TableBuild>): Promise<void> => {
      build = await loader.builds.write({ ...build, ...to });
    };
    const feed: Feed = {
      derivations: table.derivations.map((each) => ({ ...each, derive: renamed(each.derive, table.name, next) })),
      position: BigInt(build.position),
      mark: (position) => step({ position: position.toString() }),
    };
    await loader.join(feed, signal);
    await step({ phase: 'joining' });
    const comparable = active.version === build.version ? await this.comparable(table) : undefined;
    const compare = async (upTo: bigint) => comparable && this.compare(comparable, next, upTo);
    // Counts change with every batch; they are few.
    const compared = comparable?.counts ? undefined : await compare(feed.position);
    await loader.between(feed, async (landed) => {
      const result = compared ?? (await compare(landed));
      const left_at = loader.reachedBy(table).toString();
      await step({ position: landed.toString(), left_at, compared: result ? JSON.stringify(result) : '' });
      if (!isCurrent() || signal.aborted) throw new EarlierStartError('another loader may have taken over');
      await this.command(`EXCHANGE TABLES ${table.name} AND ${next}`);
      await this.finish(table, build, feed);
    });
  }

  /** Queries read what was built. What they read before is kept, and what they read before that goes. */
  private async finish(table: DerivedTable, build: TableBuild, feed?: Feed): Promise<void> {
    const { name } = table;
    const [replaced] = [...(await this.contents(name)).keys()].filter((other) => other.startsWith(nextName(name)));
    if (replaced) {
      await this.command(`DROP TABLE IF EXISTS ${previousName(name)}`);
      await this.command(`RENAME TABLE ${replaced} TO ${previousName(name)}`);
    }
    await this.loader.builds.write({ ...build, phase: 'live', switched_at: toDateTime64(new Date().toISOString()) });
    await this.loader.exchanged(table, BigInt(build.position), feed);
    const { documents, differing } = JSON.parse(build.compared || '{}') as Partial<CollectionComparison>;
    this.log.info({ projection: name, build: build.build, documents, differing }, 'queries read a new table');
  }

  private async comparable({ name }: DerivedTable): Promise<ComparableTable | undefined> {
    return (await comparableTables(this.clickhouse, { only: name }))[0];
  }

  private async compare(table: ComparableTable, next: string, upTo: bigint): Promise<CollectionComparison> {
    const differences: DocumentDifference[] = [];
    let differing = 0;
    const pair = { expected: table.name, found: next };
    const documents = await compareTable(this.clickhouse, table, pair, { upTo, only: {} }, (difference) => {
      const { id, tenant, kind, fields = [] } = difference;
      if (++differing <= LISTED) differences.push({ id, tenant, kind, fields });
    });
    return { documents, differing, differences };
  }

  /** A table and those that were or are to be in its place, each with the number of the build that made its rows. */
  private async contents(table: string): Promise<ReadonlyMap<string, number>> {
    const query_params = { table, previous: previousName(table), next: nextName(table) };
    const answer = await this.clickhouse.query({ query: CONTENTS, query_params, format: 'JSONEachRow' });
    const rows = await answer.json<{ name: string; comment: string }>();
    return new Map(rows.map(({ name, comment }) => [name, Number(comment.slice(COMMENT.length) || 1)]));
  }

  private async command(query: string): Promise<void> {
    await this.clickhouse.command({ query });
  }
}

/** What a table's comment says before the number of the build that made its rows. Those of the first build have none. */
const COMMENT = 'build ';

const CONTENTS = `
  SELECT name, comment
  FROM system.tables
  WHERE database = currentDatabase() AND (name IN ({table:String}, {previous:String}) OR startsWith(name, {next:String}))`;
