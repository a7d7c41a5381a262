import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WarehouseMigration } from '../../packages/eventsourcing';

/** The SQL files as they stand beside this one, in the order of their numbers. */
export function readMigrations(): readonly WarehouseMigration[] {
  return readdirSync(__dirname)
    .filter((file) => /^\d{3}-.*\.sql$/.test(file))
    .sort()
    .map((file) => {
      const [create = '', derive] = readFileSync(join(__dirname, file), 'utf8').split(/^-- derive$/m);
      return { name: file.replace(/\.sql$/, ''), create: statements(create), derive: derive && statements(derive)[0] };
    });
}

/** The SQL of a report, `<name>.report.sql`. It takes `{tenant:String}`, `{asOf:DateTime64(3, 'UTC')}`,
 * `{upTo:UInt64}` and what it names itself. */
export function readReport(name: string): string {
  return readFileSync(join(__dirname, `${name}.report.sql`), 'utf8');
}

function statements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => /^\s*[^\s-]/m.test(statement));
}
