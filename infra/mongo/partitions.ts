/**
 * Documents are parted by a hash of their ids, not events by their streams: a document is fed by events of several streams, and has one
 * writer, which sees them all in the order of the log, only if it is the document that decides who writes. Storage format.
 */
export const PARTITIONS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** FNV-1a over UTF-16 units. */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % PARTITIONS.length;
}
