import type { Db } from 'mongodb';
import type { AnyProjection, EventBatch, EventStore, ReadModelState } from '../../packages/eventsourcing';
import { atOnce } from '../at-once';
import { asked, LOOK } from '../bell';
import type { Log } from '../log';
import { repeatedly } from '../repeatedly';
import { CollectionFeed } from './collection-feed';
import { compareCollections } from './compare-collections';
import { EventFeeds } from './event-feeds';
import { Parked } from './parked';
import { PARTITIONS } from './partitions';
import type { ReadModels } from './read-models';

/** Milliseconds from look to look while a collection that was built is joined to those that are fed. */
const UNTIL_JOINED = 100;
/** Milliseconds in which a request to build waits for others, so that one reading of the log serves them all. */
const GATHER = 100;
const BATCH = 10_000;
/** What is folded is written every so many documents or milliseconds, while the log is read on; one of these is written at a time. */
const FLUSH = { documents: 10_000, milliseconds: 2_000 };
/** Collections that are held against those that they take the place of, at once. */
const COMPARED_AT_ONCE = 3;

/**
 * Builds collections beside those that queries read: reads the log from its beginning, once for all that are wanted, hands them over to
 * whoever feeds the live ones, compares, and switches. Runs in one process at a time; another takes it up where it was left.
 */
export class Rebuilder {
  constructor(
    private readonly db: Db,
    private readonly projections: readonly AnyProjection[],
    private readonly readModels: ReadModels,
    private readonly store: EventStore,
    private readonly log: Log,
  ) {}

  run(signal: AbortSignal): Promise<void> {
    return repeatedly(() => this.step(signal), this.log, signal);
  }

  private async step(signal: AbortSignal): Promise<number> {
    const wanted = await this.gather(signal);
    const toCatchUp = wanted.filter(({ building }) => building!.phase === 'catching-up');
    if (toCatchUp.length > 0) await this.catchUp(toCatchUp, signal);
    const joining = wanted.filter(({ building }) => building!.phase === 'joining');
    await atOnce(COMPARED_AT_ONCE, joining, async (state) => {
      if (!signal.aborted && (await this.readModels.hasJoined(state.building!))) await this.finish(state);
    });
    return wanted.length > 0 ? UNTIL_JOINED : LOOK;
  }

  /** What is wanted, once no more is asked for. */
  private async gather(signal: AbortSignal): Promise<ReadModelState[]> {
    for (let before = await this.wanted(); ;) {
      const isAsked = before.some(({ building }) => building!.phase === 'catching-up');
      if (!isAsked || before.length === this.projections.length || signal.aborted) return before;
      await asked.rest(GATHER, asked.heard, signal);
      const now = await this.wanted();
      if (now.length <= before.length) return now;
      before = now;
    }
  }

  private async wanted(): Promise<ReadModelState[]> {
    return (await this.readModels.list()).filter(({ _id, building }) => {
      const projection = this.projections.find(({ name }) => name === _id);
      return building && building.version === projection?.version;
    });
  }

  private async catchUp(states: readonly ReadModelState[], signal: AbortSignal): Promise<void> {
    const { buildCheckpoints } = this.readModels;
    const known = new Map(await buildCheckpoints.all());
    const feeds = new EventFeeds(
      await Promise.all(
        states.map(async ({ _id, building, active }) => {
          const { collection } = building!;
          const reached = known.get(collection);
          // What stands there without a checkpoint is the rest of something else.
          if (reached === undefined && collection !== active.collection) await this.readModels.drop(collection);
          const projection = this.projections.find(({ name }) => name === _id)!;
          const everywhere = new Map(PARTITIONS.map((partition) => [partition, reached ?? 0n]));
          return new CollectionFeed(this.db, projection, collection, everywhere, new Parked(this.db));
        }),
      ),
    );
    await feeds.prepare();
    const names = feeds.feeds.map(({ name }) => name);
    const after = feeds.feeds.map(({ position }) => position).reduce((a, b) => (a < b ? a : b));
    const writer = new Writer(feeds, (position) => buildCheckpoints.writeAll(names, position));
    try {
      for await (const batch of this.store.subscribeToAll({ after: after || undefined, maxBatch: BATCH, signal })) {
        await feeds.fold(batch.events);
        await writer.next(batch);
        if (!batch.caughtUp) continue;
        await this.readModels.join(states, batch.position);
        return;
      }
    } finally {
      await writer.settled();
    }
  }

  private async finish(state: ReadModelState): Promise<void> {
    const { _id, active, building } = state;
    const { collection, version } = building!;
    const isComparable = active.version === version && active.collection !== collection;
    const compared = isComparable ? await compareCollections(this.db, active.collection, collection) : null;
    await this.readModels.switch(state, compared);
    const { documents, differing } = compared ?? {};
    this.log.info({ projection: _id, collection, documents, differing }, 'queries read a new collection');
  }
}

/** Writes what is folded, while more is; the checkpoint follows what it stands for. */
class Writer {
  private writing: Promise<void> = Promise.resolve();
  private begunAt = performance.now();

  constructor(
    private readonly feeds: EventFeeds,
    private readonly checkpoint: (position: bigint) => Promise<void>,
  ) {}

  /** Begins to write where it is time to; at the end of the log, resolves when everything is written. @throws what an earlier write failed with */
  async next({ position, caughtUp }: EventBatch): Promise<void> {
    const isTime = performance.now() - this.begunAt > FLUSH.milliseconds;
    if (!caughtUp && !isTime && this.feeds.waiting < FLUSH.documents) return;
    await this.writing;
    this.begunAt = performance.now();
    this.writing = this.write(position);
    this.writing.catch(() => undefined); // told by the next `next`, which comes: this is not the end of the log
    if (caughtUp) await this.writing;
  }

  /** Resolves when nothing is being written any more, whether it succeeded or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.writing]);
  }

  private async write(position: bigint): Promise<void> {
    await this.feeds.flush();
    await this.checkpoint(position);
  }
}
