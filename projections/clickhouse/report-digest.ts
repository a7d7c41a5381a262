import { createHash } from 'node:crypto';
import { canonicalJson } from '../../packages/eventsourcing';
import { readCounted, readMigrations, readReport } from '.';

/** Everything that an answer's digest is over. */
export interface DigestedReport {
  readonly report: string;
  /** What was asked, the tenant included. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly asOf: { readonly position: string; readonly effective: string };
  /** Digest of the SQL that gave the rows. */
  readonly projection: string;
  readonly rows: readonly object[];
}

/** Digits of a number that counts: ClickHouse adds up in whatever order its parts lie, which shows in the last digits of a mean. */
const DIGITS = 10;

/** SHA-256, hex, over log position, projection version, parameters and rows. Storage format: saved answers are held against it. */
export function reportDigest({ report, parameters, asOf, projection, rows }: DigestedReport): string {
  const { position, effective } = asOf;
  const digested = rounded({ report, parameters, position, effective, projection, rows });
  return createHash('sha256').update(canonicalJson(digested)).digest('hex');
}

const versions = new Map<string, string>();

/**
 * SHA-256, hex, over the SQL that leads from the log to a report: a report of other SQL may well say something else. What is counted outside
 * ClickHouse says what this SQL says, which a test holds it against.
 */
export function projectionVersion(report: string): string {
  const known = versions.get(report);
  if (known) return known;
  const hash = createHash('sha256');
  for (const { name, create, derive = '' } of readMigrations()) hash.update([name, ...create, derive].join('\n'));
  for (const sql of [readReport(report), readReport(report, 'given'), readCounted(report)?.sql ?? '']) hash.update(sql);
  const version = hash.digest('hex');
  versions.set(report, version);
  return version;
}

function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rounded(each)]));
}
