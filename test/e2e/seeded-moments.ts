import { createHash } from 'node:crypto';

/** So many whole numbers from 0 to below `limit`, the same for the same seed. */
export function seededMoments(seed: string, count: number, limit: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const digest = createHash('sha256').update(`${seed}:${index}`).digest();
    return digest.readUInt32BE() % limit;
  });
}
