import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CountedReport, type ReportSql, targetOf, type WarehouseMigration } from '../../packages/eventsourcing';
import { peopleSql } from './people-sql';
import { countTeams } from './team-compliance';

/** Between what a file creates and how its rows are derived, with the types of event that they are derived from. */
const DERIVE = /^-- derive from (.+)$/m;
const VERSION = /^-- version (\d+)$/m;
const INCLUDE = /^-- include (\S+)$/gm;
const DEFAULT = /^-- default .*$/gm;

/** How each report begins that may be about the people below a manager, and those of them who work here. */
const BELOW = /^WITH RECURSIVE\n-- include below\n,$/m;
const TEAM = /^-- include team\n,\n/m;

/** The SQL files as they stand beside this one, in the order of their numbers. */
export function readMigrations(): readonly WarehouseMigration[] {
  return readdirSync(__dirname)
    .filter((file) => /^\d{3}-.*\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = read(file);
      const [create = '', types, derive] = sql.split(DERIVE);
      return {
        name: file.replace(/\.sql$/, ''),
        create: statements(create),
        derive: derive && statements(derive)[0],
        derivesFrom: types?.split(', '),
        version: Number(VERSION.exec(sql)?.[1] ?? 1),
      };
    });
}

/** The names of the reports, in the order of the alphabet. */
export function reportNames(): readonly string[] {
  const reports = readdirSync(__dirname).map((file) => /^(.*)\.report\.sql$/.exec(file)?.[1]);
  return reports.filter((name) => name !== undefined).sort();
}

/**
 * The SQL of a report, `<name>.report.sql`, with the parts that it includes. It takes `{tenant:String}`, `{asOf:DateTime64(3, 'UTC')}`,
 * `{upTo:UInt64}` and what it names itself; a line `-- default <parameter> <value>` says what holds where a parameter is not given.
 * @param people `given`: those below the manager come as `{below:Array(UUID)}` and `{team:Array(UUID)}` instead of being found; `<name>.given.sql`
 * where there is one
 */
export function readReport(name: string, people?: 'given'): string {
  const sql = read(`${name}.report.sql`);
  if (!people) return withParts(sql);
  const given = `${name}.given.sql`;
  if (!existsSync(join(__dirname, given))) return withGivenPeople(sql);
  return [...sql.matchAll(DEFAULT)].map(([line]) => `${line}\n`).join('') + read(given);
}

/** How a report is counted outside ClickHouse where its people are known: `<name>.standing.sql` gives the rows. */
export function readCounted(name: string): CountedReport | undefined {
  return name === 'team-compliance' ? { sql: read(`${name}.standing.sql`), count: countTeams } : undefined;
}

/** Everything that the warehouse is asked with. */
export const reportSql: ReportSql = {
  report: readReport,
  counted: readCounted,
  partedBy: (name) => describeReport(name).partedBy,
  people: peopleSql,
  peopleFrom: ['010-team-lines', '004-person-facts'],
};

function withParts(sql: string): string {
  return sql.replace(INCLUDE, (_, part: string) => read(`${part}.part.sql`).trim());
}

/** ClickHouse looks at far fewer rows for ids that stand in the query than for those that a part of the query gives. */
function withGivenPeople(sql: string): string {
  return withParts(sql.replace(BELOW, 'WITH').replace(TEAM, ''))
    .replaceAll('IN (SELECT person FROM team)', 'IN {team:Array(UUID)}')
    .replaceAll(
      'IN (SELECT person FROM below WHERE depth > 0)',
      'IN {below:Array(UUID)} AND toString(person) != {manager:String}',
    )
    .replaceAll('IN (SELECT person FROM below)', 'IN {below:Array(UUID)}');
}

export interface ReportDescription {
  /** What stands above its SQL. */
  readonly says: string;
  /** What it takes beside tenant, asOf and upTo, and what holds where it is not given. */
  readonly defaults: Readonly<Record<string, string>>;
  /** Whom its rows are about, where what several managers ask for is one report whose rows are theirs. */
  readonly partedBy: 'manager' | 'person' | undefined;
}

export function describeReport(name: string): ReportDescription {
  const known = descriptions.get(name);
  if (known) return known;
  const comment = /^(--.*\n)+/.exec(read(`${name}.report.sql`))?.[0] ?? '';
  const lines = comment
    .trim()
    .split('\n')
    .map((line) => line.slice(3));
  const defaults = lines.flatMap((line) => {
    const [, parameter, value] = /^default (\w+) ?(.*)$/.exec(line) ?? [];
    return parameter ? [[parameter, value ?? ''] as const] : [];
  });
  const parted = lines.map((line) => /^parted by (manager|person)$/.exec(line)?.[1]).find(Boolean);
  const says = lines.filter((line) => !/^(default|parted by) /.test(line)).join(' ');
  const partedBy = parted as ReportDescription['partedBy'];
  const description = { says, defaults: Object.fromEntries(defaults), partedBy };
  descriptions.set(name, description);
  return description;
}

const descriptions = new Map<string, ReportDescription>();

/** The names of the migrations whose tables a report is read from: it is as fresh as the one that is furthest behind. */
export function tablesOf(report: string): readonly string[] {
  const known = tables.get(report);
  if (known) return known;
  const words = new Set(readReport(report).match(/\w+/g));
  const found = readMigrations()
    .filter((migration) => words.has(targetOf(migration) ?? ''))
    .map(({ name }) => name);
  tables.set(report, found);
  return found;
}

const tables = new Map<string, readonly string[]>();

function read(file: string): string {
  return readFileSync(join(__dirname, file), 'utf8');
}

function statements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => /^\s*[^\s-]/m.test(statement));
}
