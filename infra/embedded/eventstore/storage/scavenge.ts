/** Removes from the files what streams no longer show: the events of tombstoned streams, and those before what `$tb` and `$maxCount` leave. */
import { randomUUID } from 'node:crypto';
import { firstReadable } from '../streams/metadata';
import { frame } from '../wire/frame';
import type { Method } from '../wire/server';
import type { StreamHeads } from './head';
import type { Store } from './store';
import type { Writer } from './writer';

const PAGE = 1_000;

/**
 * StartScavenge (operations.proto). A real server scavenges in the background; this one is done when it answers, and serves nobody
 * in the meantime. The tombstone of a stream stays, and so does its last event, which tells where it goes on.
 */
export function scavengeMethod(store: Store, heads: StreamHeads, writer: Writer): Method {
  return {
    request: async (_message, call) => {
      await writer.settled();
      scavenge(store, heads);
      call.send(frame((response) => response.string(1, randomUUID())));
      call.end();
    },
  };
}

export function scavenge(store: Store, heads: StreamHeads): void {
  store.remove(store.truncatedStreams().flatMap((stream) => unreadable(store, heads, stream)));
}

/** Positions of the records of a stream that no read of the stream shows any more. */
function unreadable(store: Store, heads: StreamHeads, stream: string): number[] {
  const { streamNo, tombstoned, last, metadata } = heads.get(stream);
  if (!streamNo) return [];
  const end = tombstoned ? last + 1 : Math.min(firstReadable(metadata, last), last);
  const positions: number[] = [];
  for (let from = 0; from < end; from += PAGE) {
    const entries = store.entries(streamNo, from, Math.min(PAGE, end - from));
    for (const { revision, position } of entries) if (revision < end) positions.push(position);
  }
  return positions;
}
