import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { UsageError } from '../data-folder';

/** A row by column name; a missing value (`?`) is undefined. */
export type Row<Column extends string> = { readonly [C in Column]: string | undefined };

/** Rows of `<folder>/<name>.csv`, or of the same gzipped, one at a time. @throws UsageError when there is neither */
export async function* readCsv<Column extends string>(folder: string, name: string): AsyncGenerator<Row<Column>> {
  const plain = join(folder, `${name}.csv`);
  const gzipped = `${plain}.gz`;
  if (!existsSync(plain) && !existsSync(gzipped))
    throw new UsageError(`${folder} has neither ${name}.csv nor ${name}.csv.gz.`);
  const bytes = existsSync(plain) ? createReadStream(plain) : createReadStream(gzipped).pipe(createGunzip());
  const cast = (value: string): string | undefined => (value === '?' || value === '' ? undefined : value);
  try {
    for await (const row of bytes.pipe(parse({ columns: true, cast }))) yield row as Row<Column>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UsageError(`${name}.csv in ${folder} is no table of comma-separated values: ${error.message}.`);
  }
}

/** A value that the data always has. @throws UsageError that names the column */
export function required(row: Row<string>, column: string): string {
  const value = row[column];
  if (value === undefined) throw new UsageError(`A row has no ${column}: ${JSON.stringify(row)}.`);
  return value;
}
