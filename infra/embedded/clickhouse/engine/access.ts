import { ClickHouseException } from '../errors';
import type { Statement } from '../sql/statement';

/** Who may do what. Both come in without a password: only this machine can connect. */
export type User = 'default' | 'analyst';

/**
 * Rights as ClickHouse itself enforces them. chdb knows one user per process, so the two are roles of it: a connection takes
 * its role, and with `readonly=1` a role cannot be changed to effect.
 */
export const USERS_XML = `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <roles>
    <admin><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></admin>
    <analyst><grants><query>GRANT SHOW, SELECT, dictGet ON *.*</query></grants></analyst>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT admin, analyst</query></grants>
    </default>
  </users>
</clickhouse>
`;

const ALLOWED = new Set(['SELECT', 'WITH', '(', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN']);
const REFUSED = new Set(
  `INSERT CREATE ATTACH REPLACE ALTER RENAME EXCHANGE DROP DETACH TRUNCATE UNDROP CHECK KILL OPTIMIZE WATCH BACKUP RESTORE
   SNAPSHOT USE SET SYSTEM MOVE REVOKE GRANT BEGIN START COMMIT ROLLBACK DELETE UPDATE COPY EXECUTE`.split(/\s+/),
);
/** Of `system`, what describes the data and the engine. The rest tells of other people's queries or of the machine. */
const SYSTEM_TABLES = new Set(
  `aggregate_function_combinators build_options collations columns completions contributors data_skipping_indices
   data_type_families databases dictionaries formats functions keywords licenses numbers numbers_mt one parts parts_columns
   primes projections settings table_engines table_functions tables time_zones zeros zeros_mt`
    .split(/\s+/)
    .map((name) => name.toUpperCase()),
);
/** They take the name of a table as a string, read files or look at what runs. Rights of their own ClickHouse does not give them. */
const FUNCTIONS = new Set([
  'FILE',
  'MERGE',
  'LOOP',
  'CLUSTER',
  'CLUSTERALLREPLICAS',
  'CATBOOSTEVALUATE',
  'HASCOLUMNINTABLE',
]);
/** Settings that name a file, which ClickHouse reads or writes whatever the role. */
const FILE_SETTINGS = /schema|template|_path|_file|url/;
/** What an analyst may set for a query of their own. */
const HARMLESS_SETTINGS =
  /^(max_|min_|output_format_|input_format_|format_csv_|date_time_|join_|distinct_|group_by_|totals_|query_cache_|use_query_cache|enable_http_|http_|send_progress|wait_end_of_query|cancel_http|extremes|limit|offset|timeout_|final|session_timezone|log_comment|optimize_|prefer_|any_join|union_default|cast_|transform_null_in|aggregate_functions_null)/;

/**
 * The part of an analyst's limits that roles and `readonly` do not cover: which statements, and in them files and other
 * people's queries.
 * @throws ClickHouseException ACCESS_DENIED or READONLY
 */
export function checkAnalyst({ verb, tokens, settings }: Statement, asked: { database?: string | undefined }): void {
  if (REFUSED.has(verb)) throw ClickHouseException.of('READONLY', 'analyst: Cannot execute query in readonly mode');
  if (!ALLOWED.has(verb))
    throw ClickHouseException.of('SYNTAX_ERROR', `Syntax error: failed at position 1 ('${verb}')`);
  if (asked.database?.toLowerCase() === 'system') deny('the database system');
  if (settings) throw ClickHouseException.of('READONLY', 'Cannot modify settings in readonly mode');
  tokens.forEach((token, at) => {
    const name = token.text.toUpperCase();
    if (token.kind !== 'word' && token.kind !== 'name') return;
    const next = tokens[at + 1];
    if (name === 'PARALLEL' && next?.text === 'WITH') deny('PARALLEL WITH');
    if (name === 'PROCESSLIST') deny('SHOW PROCESSLIST');
    // Wherever it stands: `arrayMap(file, ...)` and `* APPLY(file)` name a function without calling it.
    if (FUNCTIONS.has(name)) deny(`the function ${name.toLowerCase()}`);
    if (token.escaped) deny('a name with escapes');
    if (name !== 'SYSTEM') return;
    if (next?.text === '.' && !SYSTEM_TABLES.has(tokens[at + 2]?.text.toUpperCase() ?? '')) {
      deny(`system.${tokens[at + 2]?.text.toLowerCase()}`);
    }
  });
}

/** @throws ClickHouseException READONLY for a setting that is not for analysts */
export function checkAnalystSetting(name: string): void {
  if (HARMLESS_SETTINGS.test(name) && !FILE_SETTINGS.test(name)) return;
  throw ClickHouseException.of('READONLY', `Cannot modify '${name}' setting in readonly mode`);
}

function deny(what: string): never {
  throw ClickHouseException.of(
    'ACCESS_DENIED',
    `analyst: Not enough privileges. The user may not read through ${what}`,
  );
}
