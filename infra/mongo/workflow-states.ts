import {
  type Collection,
  type Db,
  type Document as Stored,
  Long,
  MongoBulkWriteError,
  MongoServerError,
} from 'mongodb';
import type { AnyWorkflow } from '../../packages/eventsourcing';

/** What a workflow knows of one key of a tenant; the empty key is what it knows of the tenant. Storage format. */
interface StateDocument extends Stored {
  /** `<workflow>_v<version>:<tenant>:<key>` */
  _id: string;
  state: unknown;
  /** The event that led to it. */
  position: Long | number;
}

export interface KnownState {
  readonly key: string;
  readonly state: unknown;
  readonly position: bigint;
}

/** The key of what a workflow knows of the tenant as a whole. */
export const SHARED = '';

/** Storage name of a workflow's states and checkpoint. */
export function nameOf({ name, version }: Pick<AnyWorkflow, 'name' | 'version'>): string {
  return `${name}_v${version}`;
}

/** How far a workflow has come through everybody whom one event concerns. */
export interface Sweep {
  /** `<workflow>_v<version>:<position of the event>` */
  readonly _id: string;
  readonly tenant: string;
  readonly type: string;
  /** The last key that is done. */
  readonly after: string;
  readonly done: number;
  readonly total: number;
  readonly finished: boolean;
}

/** The states of all workflows: one document per workflow, tenant and key. */
export class WorkflowStates {
  private readonly states: Collection<StateDocument>;
  private readonly sweeps: Collection<Sweep>;

  constructor(db: Db) {
    this.states = db.collection('workflow_states');
    this.sweeps = db.collection('workflow_sweeps');
  }

  async read(workflow: string, tenant: string, keys: readonly string[]): Promise<Map<string, KnownState>> {
    const prefix = `${workflow}:${tenant}:`;
    const found = this.states.find({ _id: { $in: keys.map((key) => prefix + key) } });
    const known = new Map<string, KnownState>();
    for await (const { _id, state, position } of found) {
      const key = _id.slice(prefix.length);
      known.set(key, { key, state, position: BigInt(position.toString()) });
    }
    return known;
  }

  /** The next keys of a tenant in their order, without the shared state. */
  async page(workflow: string, tenant: string, after: string, limit: number): Promise<KnownState[]> {
    const prefix = `${workflow}:${tenant}:`;
    const range = { $gt: prefix + after, $lt: `${workflow}:${tenant};` };
    const found = await this.states.find({ _id: range }).sort({ _id: 1 }).limit(limit).toArray();
    return found.map(({ _id, state, position }) => ({
      key: _id.slice(prefix.length),
      state,
      position: BigInt(position.toString()),
    }));
  }

  count(workflow: string, tenant: string): Promise<number> {
    return this.states.countDocuments({ _id: { $gt: `${workflow}:${tenant}:`, $lt: `${workflow}:${tenant};` } });
  }

  /** Positions only rise: where another process is further already, which took this one for dead, its state stays. */
  write(workflow: string, tenant: string, states: Iterable<KnownState>): Promise<void> {
    return this.writeOver('$lt', workflow, tenant, states);
  }

  /** The states anew as of the positions that they have already, for whoever alone runs the workflow. */
  rewrite(workflow: string, tenant: string, states: Iterable<KnownState>): Promise<void> {
    return this.writeOver('$lte', workflow, tenant, states);
  }

  private async writeOver(
    than: '$lt' | '$lte',
    workflow: string,
    tenant: string,
    states: Iterable<KnownState>,
  ): Promise<void> {
    const operations = [...states].map(({ key, state, position }) => ({
      replaceOne: {
        filter: { _id: `${workflow}:${tenant}:${key}`, position: { [than]: Long.fromBigInt(position) } },
        replacement: { state, position: Long.fromBigInt(position) },
        upsert: true,
      },
    }));
    if (operations.length > 0) await unlessFurther(this.states.bulkWrite(operations, { ordered: false }));
  }

  sweep(_id: string): Promise<Sweep | null> {
    return this.sweeps.findOne({ _id });
  }

  async writeSweep(sweep: Sweep): Promise<void> {
    const { _id, done } = sweep;
    await unlessFurther(
      this.sweeps.replaceOne({ _id, done: { $lte: done }, finished: false }, sweep, { upsert: true }),
    );
  }

  /** The sweeps of a tenant that are under way. */
  underWay(tenant: string): Promise<Sweep[]> {
    return this.sweeps.find({ tenant, finished: false }).sort({ _id: 1 }).toArray();
  }
}

const DUPLICATE_KEY = 11_000;

/** A guarded upsert finds nothing to replace, and the id taken, where somebody else is further. */
async function unlessFurther(writing: Promise<unknown>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    const isFurther =
      error instanceof MongoBulkWriteError
        ? [error.writeErrors].flat().every(({ code }) => code === DUPLICATE_KEY)
        : error instanceof MongoServerError && error.code === DUPLICATE_KEY;
    if (!isFurther) throw error;
  }
}
