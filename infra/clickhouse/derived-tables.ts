import { targetOf, type WarehouseMigration } from '../../packages/eventsourcing';

/** A migration that derives rows. */
export type Derivation = WarehouseMigration & { readonly derive: string };

/** A table that is derived from the log, with all that the migrations say of it. */
export interface DerivedTable {
  readonly name: string;
  /** Rises with the version of each migration that derives rows of it. */
  readonly version: number;
  /** Migrations that derive its rows, in their order. */
  readonly derivations: readonly Derivation[];
  /** Statements that make it. */
  readonly create: readonly string[];
}

/** In the order of the migrations, so that each comes after those that it is derived from. */
export function derivedTables(migrations: readonly WarehouseMigration[]): readonly DerivedTable[] {
  const names = new Set(migrations.map(targetOf).filter((name) => name !== undefined));
  return [...names].map((name) => {
    const derivations = migrations.filter((each): each is Derivation => targetOf(each) === name);
    const makes = new RegExp(`^(CREATE TABLE IF NOT EXISTS|ALTER TABLE) ${name}\\b`, 'm');
    return {
      name,
      version: derivations.reduce((version, { version: own = 1 }) => version + own - 1, 1),
      derivations,
      create: migrations.flatMap(({ create }) => create.filter((statement) => makes.test(statement))),
    };
  });
}

/** A statement about a table, about another one of the same columns instead. */
export function renamed(statement: string, table: string, name: string): string {
  return statement.replaceAll(new RegExp(`\\b${table}\\b`, 'g'), name);
}

/** Whether a migration reads or writes one of these tables. */
export function touches({ derive }: Derivation, tables: ReadonlySet<string>): boolean {
  return tables.size > 0 && (derive.match(/\w+/g) ?? []).some((word) => tables.has(word));
}

/** Migrations one group after the other: those of a group read nothing that another one of it writes. */
export function inGroups(derivations: readonly Derivation[]): readonly (readonly Derivation[])[] {
  const groups: Derivation[][] = [];
  for (const each of derivations) {
    const reading = { ...each, derive: each.derive.replace(/^INSERT INTO \w+/, '') };
    const last = groups.findLastIndex((group) => touches(reading, new Set(group.map((other) => targetOf(other)!))));
    (groups[last + 1] ??= []).push(each);
  }
  return groups;
}
