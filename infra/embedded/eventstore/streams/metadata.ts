/** Stream metadata: the JSON in the last event of `$$<stream>` (docs "Metadata and reserved names"). */

export interface StreamMetadata {
  maxCount?: number;
  /** Milliseconds. */
  maxAge?: number;
  /** First revision that may be read; Infinity once the stream is soft-deleted. */
  truncateBefore?: number;
}

/** Metadata streams keep one readable event (`ESConsts.MetaStreamMaxCount`). */
export const SYSTEM_METADATA: StreamMetadata = { maxCount: 1 };

/** `$tb` of a soft-deleted stream is int64 max, which JavaScript rounds to 2^63. */
const DELETED = 2 ** 63;
export const DELETED_METADATA = Buffer.from('{"$tb":9223372036854775807}');

/** Reads metadata as the server does: what does not parse is no metadata, values that are not positive do not count. */
export function parseMetadata(data: Buffer | undefined): StreamMetadata {
  const json = parseObject(data);
  if (!json) return {};
  const positive = (key: string): number | undefined => {
    const value = json[key];
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  const metadata: StreamMetadata = {};
  const maxCount = positive('$maxCount');
  const maxAge = positive('$maxAge');
  const truncateBefore = positive('$tb');
  if (maxCount !== undefined) metadata.maxCount = maxCount;
  if (maxAge !== undefined) metadata.maxAge = maxAge * 1000;
  if (truncateBefore !== undefined) metadata.truncateBefore = truncateBefore >= DELETED ? Infinity : truncateBefore;
  return metadata;
}

/** The metadata that brings a soft-deleted stream back with its next event at `revision`. */
export function undeletedMetadata(data: Buffer | undefined, revision: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseObject(data), $tb: revision }));
}

/** First revision of a stream that a reader may see. */
export function firstReadable(metadata: StreamMetadata, last: number): number {
  const byCount = metadata.maxCount === undefined ? 0 : last - metadata.maxCount + 1;
  return Math.max(0, byCount, metadata.truncateBefore ?? 0);
}

function parseObject(data: Buffer | undefined): Record<string, unknown> | undefined {
  if (!data) return undefined;
  try {
    const json: unknown = JSON.parse(data.toString());
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // The server treats malformed metadata as none.
  }
}
