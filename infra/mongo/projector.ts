import type { Db } from 'mongodb';
import type { AnyProjection, EventBatch } from '../../packages/eventsourcing';
import { moved } from '../bell';
import type { Consumer } from '../consumer';
import { CollectionFeed } from './collection-feed';
import { EventFeeds } from './event-feeds';
import { Parked } from './parked';
import { PARTITIONS } from './partitions';
import { joiningShare, liveShare, ReadModels, type Target } from './read-models';

export interface ProjectorOptions {
  /** The share of the documents that this process writes; all when left out. */
  readonly partitions?: readonly number[];
  readonly readModels?: ReadModels;
  /** Told of the events that a projection handled. */
  readonly onApplied?: (projection: string, events: number) => void;
}

/** While it is far behind, what is folded is written every so many documents or milliseconds. */
const FLUSH = { documents: 5_000, milliseconds: 250 };

/**
 * Reads the log once for all projections. What queries read is written after what will take its place, and the checkpoints move last,
 * so that a batch that a crash cut short comes again and changes nothing twice.
 */
export class MongoProjector implements Consumer {
  readonly name = 'mongo';
  /** Under load, a batch of a few milliseconds costs as much as one event alone. */
  readonly options = { maxBatch: 5_000, lingerMs: 20 };
  private readonly readModels: ReadModels;
  private readonly partitions: readonly number[];
  private live = new EventFeeds([]);
  private joining = new EventFeeds([]);
  private flushedAt = 0;

  constructor(
    private readonly db: Db,
    projections: readonly AnyProjection[],
    private readonly settings: ProjectorOptions = {},
  ) {
    this.readModels = settings.readModels ?? new ReadModels(db, projections);
    this.partitions = settings.partitions ?? PARTITIONS;
  }

  /** @throws OtherVersionError */
  async position(): Promise<bigint | undefined> {
    await this.readModels.begin();
    const { live, joining } = await this.readModels.plan();
    const reached = await this.reachedLive();
    const joiningFeeds = joining.map(async (target) => this.feed(target, await this.reachedJoining(target)));
    this.live = new EventFeeds(
      live.map((target) => this.feed(target, reached)),
      this.settings.onApplied,
    );
    this.joining = new EventFeeds(await Promise.all(joiningFeeds));
    await Promise.all([this.live.prepare(), this.joining.prepare()]);
    const positions = [...reached.values(), ...this.joining.feeds.map(({ position }) => position)];
    return positions.reduce((a, b) => (a < b ? a : b)) || undefined;
  }

  async apply({ events, position, caughtUp }: EventBatch): Promise<void> {
    await Promise.all([this.joining.fold(events), this.live.fold(events)]);
    const waiting = this.live.waiting + this.joining.waiting;
    const isTime = performance.now() - this.flushedAt > FLUSH.milliseconds;
    if (caughtUp || isTime || waiting > FLUSH.documents) await this.flush(position);
    if (!caughtUp) return;
    this.joining.forget();
    this.live.forget();
  }

  private async flush(position: bigint): Promise<void> {
    await this.joining.flush();
    await this.live.flush();
    const { checkpoints, buildCheckpoints } = this.readModels;
    const joining = this.joining.feeds.flatMap(({ name }) => this.partitions.map((each) => joiningShare(name, each)));
    await buildCheckpoints.writeAll(joining, position);
    await checkpoints.writeAll(this.partitions.map(liveShare), position);
    moved.mongo.ring();
    this.flushedAt = performance.now();
  }

  private feed({ projection, collection }: Target, reached: ReadonlyMap<number, bigint>): CollectionFeed {
    return new CollectionFeed(this.db, projection, collection, reached, new Parked(this.db));
  }

  private async reachedLive(): Promise<Map<number, bigint>> {
    const known = await this.readModels.checkpoints.beginAll(PARTITIONS.map(liveShare));
    return new Map(this.partitions.map((partition) => [partition, known.get(liveShare(partition))!]));
  }

  /** A joining collection has everything up to where it was when it joined, and what this partition was fed since. */
  private async reachedJoining({ collection }: Target): Promise<Map<number, bigint>> {
    const known = new Map(await this.readModels.buildCheckpoints.all());
    const whole = known.get(collection) ?? 0n;
    return new Map(
      this.partitions.map((partition) => {
        const share = known.get(joiningShare(collection, partition)) ?? 0n;
        return [partition, share > whole ? share : whole];
      }),
    );
  }
}
