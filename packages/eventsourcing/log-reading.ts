import type { LogReader } from './event-store';
import type { RecordedEvent } from './messages';

/** Events at once: so many that reading is not held up by the handing over. */
const BATCH = 5_000;

/**
 * The log, or the streams whose names begin so, from its beginning up to a position. Holds one batch in memory.
 * @param upTo inclusive, and not after the end of the log: what is appended meanwhile is not read
 */
export async function* readLog(
  store: LogReader,
  streamPrefix: string | undefined,
  upTo: bigint,
): AsyncGenerator<readonly RecordedEvent[]> {
  if (upTo === 0n) return;
  for await (const { events, position, caughtUp } of store.subscribeToAll({ streamPrefix, maxBatch: BATCH })) {
    const isLast = caughtUp || position >= upTo;
    const until = isLast ? events.filter((event) => event.position <= upTo) : events;
    if (until.length > 0) yield until;
    if (isLast) return;
  }
}
