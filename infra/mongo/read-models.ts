import type { Collection, Db, Filter } from 'mongodb';
import {
  type AnyProjection,
  type Build,
  type BuildResult,
  type CollectionComparison,
  collectionName,
  isOutdated,
  previousOf,
  READ_MODELS,
  type ReadModelState,
} from '../../packages/eventsourcing';
import { asked } from '../bell';
import { Checkpoints } from './checkpoints';
import { PARTITIONS } from './partitions';

/** A projection with one of its collections. */
export interface Target {
  readonly projection: AnyProjection;
  readonly collection: string;
}

/** What there is to feed. */
export interface Plan {
  /** What queries read. */
  readonly live: readonly Target[];
  /** What will take their place, and must be as far at every moment. */
  readonly joining: readonly Target[];
}

/** Consumer that a partition of the live collections is. */
export const liveShare = (partition: number): string => `mongo:${partition}`;
/** Consumer that a partition of a collection is while it joins. */
export const joiningShare = (collection: string, partition: number): string => `${collection}:${partition}`;

const smallest = (positions: Iterable<bigint>): bigint => [...positions].reduce((a, b) => (a < b ? a : b));

/**
 * Which collection each projection's queries read, and what is being built to take its place. Every step is one guarded write, so
 * that several processes may try it.
 */
export class ReadModels {
  readonly checkpoints: Checkpoints;
  /** How far collections have come that are not live: by collection, and by collection and partition while they join. */
  readonly buildCheckpoints: Checkpoints;
  private readonly states: Collection<ReadModelState>;
  private hasBegun = false;

  constructor(
    private readonly db: Db,
    private readonly projections: readonly AnyProjection[],
  ) {
    this.checkpoints = new Checkpoints(db);
    this.buildCheckpoints = new Checkpoints(db, 'build_checkpoints');
    this.states = db.collection<ReadModelState>(READ_MODELS);
  }

  /**
   * Enters every projection. One that is new to a log with a history, or has a new version, is built beside what there is; the
   * latter only at the start of a process, so that it does not undo what another does to go back.
   * @throws OtherVersionError when another version than this process knows is wanted
   */
  async begin(): Promise<void> {
    const states = new Map((await this.list()).map((state) => [state._id, state]));
    for (const projection of this.projections) {
      const { name: _id, version } = projection;
      const state = states.get(_id);
      if (!state) {
        await this.enter(projection);
        continue;
      }
      if (isOutdated(state, version, this.hasBegun)) {
        await this.build(state, { collection: this.newCollection(state, version), version });
      }
    }
    this.hasBegun = true;
  }

  list(): Promise<ReadModelState[]> {
    return this.states.find().sort({ _id: 1 }).toArray();
  }

  async plan(): Promise<Plan> {
    const states = new Map((await this.list()).map((state) => [state._id, state]));
    const live: Target[] = [];
    const joining: Target[] = [];
    for (const projection of this.projections) {
      const state = states.get(projection.name);
      if (!state) continue;
      const { active, building } = state;
      const isFirst = building?.collection === active.collection;
      if (active.version === projection.version && !isFirst) live.push({ projection, collection: active.collection });
      if (building?.phase === 'joining') joining.push({ projection, collection: building.collection });
    }
    return { live, joining };
  }

  /** Position up to which queries show everything. */
  async reached(): Promise<bigint> {
    // In this order: what is not frozen after the checkpoints were read was fed, or has been switched away from.
    const positions = new Map(await this.checkpoints.all());
    const frozen = await this.states.find({ frozenAt: { $ne: null } }).toArray();
    const live = PARTITIONS.map((partition) => positions.get(liveShare(partition)) ?? 0n);
    return smallest([...live, ...frozen.map(({ frozenAt }) => BigInt(frozenAt!))]);
  }

  /** Asks for a new collection beside the active one; gives the state. What is being built already is left to it. */
  async rebuild(name: string): Promise<ReadModelState | undefined> {
    const state = await this.states.findOne({ _id: name });
    if (!state || state.building) return state ?? undefined;
    const { version } = this.projections.find((projection) => projection.name === name)!;
    return this.build(state, { collection: this.newCollection(state, version), version });
  }

  /** Asks for what was read before, brought up to the log. @throws NoPreviousError */
  async rollback(name: string): Promise<ReadModelState | undefined> {
    const state = await this.states.findOne({ _id: name });
    if (!state || state.building) return state ?? undefined;
    const { version } = this.projections.find((projection) => projection.name === name)!;
    return this.build(state, previousOf(state, version));
  }

  /** The collections that are being built are as far as `position`: from here on whoever feeds the live ones feeds them too. */
  async join(states: readonly ReadModelState[], position: bigint): Promise<void> {
    const built = states.map(({ building }) => building!.collection);
    const shares = built.flatMap((collection) => PARTITIONS.map((partition) => joiningShare(collection, partition)));
    await this.buildCheckpoints.delete(shares);
    await this.buildCheckpoints.writeAll(built, position);
    const filter: Filter<ReadModelState> = { 'building.collection': { $in: built } };
    await this.states.updateMany(filter, { $set: { 'building.phase': 'joining' } });
    asked.ring();
  }

  /** Whether every partition of a joining collection is as far as what is live. */
  async hasJoined({ collection }: Build): Promise<boolean> {
    const live = new Map(await this.checkpoints.all());
    const joined = new Map(await this.buildCheckpoints.all());
    return PARTITIONS.every((partition) => {
      const position = joined.get(joiningShare(collection, partition));
      return position !== undefined && position >= (live.get(liveShare(partition)) ?? 0n);
    });
  }

  /** From here on queries read what was built. What they read before stays, and what they read before that goes. */
  async switch(state: ReadModelState, compared: CollectionComparison | null): Promise<void> {
    const { _id, active, previous, frozenAt } = state;
    const { collection, version, startedAt } = state.building!;
    const isFirst = active.collection === collection;
    const upTo = frozenAt === null ? smallest([...(await this.livePositions()).values()]) : BigInt(frozenAt);
    if (!isFirst) await this.buildCheckpoints.write(active.collection, upTo);
    const last: BuildResult = { collection, version, startedAt, switchedAt: new Date().toISOString(), compared };
    const kept = isFirst ? previous : active;
    const update = { active: { collection, version }, frozenAt: null, building: null, previous: kept, last };
    const { matchedCount } = await this.states.updateOne({ _id, 'building.collection': collection }, { $set: update });
    asked.ring();
    const outdated = previous?.collection;
    if (matchedCount === 1 && outdated && ![collection, kept?.collection].includes(outdated)) await this.drop(outdated);
  }

  /** Removes a collection and all that is known of it. */
  async drop(collection: string): Promise<void> {
    await this.db.collection(collection).drop();
    await this.db.collection('parked').deleteMany({ consumer: collection });
    await this.buildCheckpoints.delete([collection, ...PARTITIONS.map((each) => joiningShare(collection, each))]);
  }

  private async enter({ name: _id, version }: AnyProjection): Promise<void> {
    const active = { collection: collectionName({ name: _id, version }), version };
    const isNew = [...(await this.livePositions()).values()].some((position) => position > 0n);
    const state: Omit<ReadModelState, '_id'> = {
      active,
      frozenAt: isNew ? '0' : null,
      building: isNew ? { ...active, phase: 'catching-up', startedAt: new Date().toISOString() } : null,
      previous: null,
      builds: 1,
      last: null,
    };
    await this.states.updateOne({ _id }, { $setOnInsert: state }, { upsert: true });
    if (isNew) asked.ring();
  }

  private async build(state: ReadModelState, { collection, version }: Build): Promise<ReadModelState> {
    const { _id, active, builds, frozenAt } = state;
    const standsStill = active.version !== version;
    const livePosition = smallest((await this.livePositions()).values());
    const building = { collection, version, phase: 'catching-up', startedAt: new Date().toISOString() } as const;
    const update = {
      building,
      builds: builds + 1,
      frozenAt: standsStill ? (frozenAt ?? livePosition.toString()) : null,
    };
    await this.states.updateOne({ _id, builds }, { $set: update });
    asked.ring();
    return (await this.states.findOne({ _id }))!;
  }

  private newCollection({ _id: name, active, previous, builds }: ReadModelState, version: number): string {
    const plain = collectionName({ name, version });
    return [active.collection, previous?.collection].includes(plain) || active.version === version
      ? `${plain}_${builds + 1}`
      : plain;
  }

  private async livePositions(): Promise<Map<string, bigint>> {
    const positions = new Map(await this.checkpoints.all());
    return new Map(PARTITIONS.map((each) => [liveShare(each), positions.get(liveShare(each)) ?? 0n]));
  }
}
