import type { Readable } from 'node:stream';
import type { ReportQuery, Warehouse } from '../../infra/clickhouse';
import { InvalidParameterError } from '../shared/problems';
import { type FileFormat, MEDIA_TYPES, REPORT_FORMATS, type ReportFormat } from './media-types';
import { workbookOf } from './xlsx';

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
