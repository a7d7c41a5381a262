/** Does the work for each, so many at once. Ends when all have ended. @throws the first failure */
export async function atOnce<T>(limit: number, list: readonly T[], work: (each: T) => Promise<unknown>): Promise<void> {
  const waiting = list[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.next(); !next.done && failures.length === 0; next = waiting.next()) {
      await work(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** The list in pieces of this length. */
export function chunksOf<T>(length: number, list: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < list.length; from += length) chunks.push(list.slice(from, from + length));
  return chunks;
}
