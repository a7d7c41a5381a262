import { createHash } from 'node:crypto';
import { canonicalJson } from '../../packages/eventsourcing';
import { InvalidParameterError } from '../shared/problems';

/** Where the next page of a report begins: in the report as it was on the first page, whatever has happened since. */
export interface ReportCursor {
  /** Position of the log that the pages are read up to. */
  readonly position: string;
  readonly effective: string;
  readonly offset: number;
}

/** @param question everything that was asked for beside the page, the tenant included */
export function encodeCursor({ position, effective, offset }: ReportCursor, question: object): string {
  return Buffer.from(JSON.stringify([position, effective, offset, digestOf(question)])).toString('base64url');
}

/** @throws InvalidParameterError for what is no cursor, or is one of another question */
export function decodeCursor(cursor: string, question: object): ReportCursor {
  const [position, effective, offset, digest] = parsed(cursor);
  if (
    typeof position !== 'string' ||
    !/^\d{1,19}$/.test(position) ||
    typeof effective !== 'string' ||
    Number.isNaN(Date.parse(effective)) ||
    !Number.isSafeInteger(offset) ||
    (offset as number) < 0
  ) {
    throw new InvalidParameterError('cursor', 'must be the `next` of an earlier page');
  }
  if (digest !== digestOf(question)) {
    throw new InvalidParameterError('cursor', 'is of another question: keep the other parameters as they were');
  }
  return { position, effective, offset: offset as number };
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function digestOf(question: object): string {
  return createHash('sha256').update(canonicalJson(question)).digest('hex').slice(0, 16);
}
