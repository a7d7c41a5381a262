import type { Db } from 'mongodb';
import type { AnyProjection, EventBatch, EventStore, ReadModelState } from '../../packages/eventsourcing';
import { LOOK } from '../bell';
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
const BATCH = 10_000;
/** What is folded is written every so many documents or milliseconds. */
const FLUSH = { documents: 20_000, milliseconds: 2_000 };

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
    const wanted = (await this.readModels.list()).filter(({ _id, building }) => {
      const projection = this.projections.find(({ name }) => name === _id);
      return building && building.version === projection?.version;
    });
    const toCatchUp = wanted.filter(({ building }) => building!.phase === 'catching-up');
    if (toCatchUp.length > 0) await this.catchUp(toCatchUp, signal);
    for (const state of wanted.filter(({ building }) => building!.phase === 'joining')) {
      if (!signal.aborted && (await this.readModels.hasJoined(state.building!))) await this.finish(state);
    }
    return wanted.length > 0 ? UNTIL_JOINED : LOOK;
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
    let flushedAt = performance.now();
    const apply = async ({ events, position, caughtUp }: EventBatch): Promise<void> => {
      await feeds.fold(events);
      const isTime = performance.now() - flushedAt > FLUSH.milliseconds;
      if (!caughtUp && !isTime && feeds.waiting < FLUSH.documents) return;
      await feeds.flush();
      await buildCheckpoints.writeAll(names, position);
      flushedAt = performance.now();
    };
    for await (const batch of this.store.subscribeToAll({ after: after || undefined, maxBatch: BATCH, signal })) {
      await apply(batch);
      if (!batch.caughtUp) continue;
      for (const { _id, building } of states) await this.readModels.join(_id, building!, batch.position);
      return;
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
