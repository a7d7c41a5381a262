import type { Readable } from 'node:stream';
import type { ReportQuery, Warehouse } from '../../infra/clickhouse';
import { InvalidParameterError } from '../shared/problems';
import { workbookOf } from './xlsx';

export const REPORT_FORMATS = ['json', 'csv', 'parquet', 'xlsx'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
export type FileFormat = Exclude<ReportFormat, 'json'>;

export const MEDIA_TYPES: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/**
 * What the caller wants: as the parameter says, else the first of the `Accept` header that there is, else JSON.
 * @throws InvalidParameterError when the header names types and there is none of them
 */
export function formatOf(format: ReportFormat | undefined, accept: string | undefined): ReportFormat {
  if (format) return format;
  const wanted = (accept ?? '*/*').split(',').map((type) => type.split(';')[0]!.trim().toLowerCase());
  for (const type of wanted) {
    if (type === '*/*' || type === 'application/*' || type === '') return 'json';
    const found = REPORT_FORMATS.find((each) => MEDIA_TYPES[each] === type);
    if (found) return found;
  }
  throw new InvalidParameterError('accept', `must be one of ${Object.values(MEDIA_TYPES).join(', ')}`);
}

/** The report as a file, as it comes from the warehouse: never as a whole in memory. */
export async function exported(
  warehouse: Warehouse,
  name: string,
  query: ReportQuery,
  format: FileFormat,
): Promise<Readable> {
  switch (format) {
    case 'csv':
      return warehouse.export(name, query, 'CSVWithNames');
    case 'parquet':
      return warehouse.export(name, query, 'Parquet');
    case 'xlsx':
      return workbookOf(name, warehouse.lines(name, query));
  }
}
