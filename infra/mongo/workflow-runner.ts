import type { Collection, Db } from 'mongodb';
import {
  type AnyWorkflow,
  type CommandRequest,
  derivedId,
  type EventBatch,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import type { Consumer } from '../consumer';
import { Checkpoints } from './checkpoints';
import { Parked } from './parked';

/** A workflow's command on its way to the bus. */
export interface WorkflowCommand extends CommandRequest {
  readonly tenant: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
}

interface StateDocument {
  /** `<workflow>_v<version>:<tenant>` */
  _id: string;
  state: unknown;
}

const COMMANDS_AT_ONCE = 64;

/**
 * Runs one workflow over the log. State is folded per tenant and saved before the checkpoint moves. Command ids derive from the event, so
 * a batch that a crash cut short may come again. A command that is refused for good is parked with its reason.
 */
export class WorkflowRunner implements Consumer {
  readonly name: string;
  readonly options = { maxBatch: 500, lingerMs: 10 };
  private readonly checkpoints: Checkpoints;
  private readonly parked: Parked;
  private readonly saved: Collection<StateDocument>;
  private states = new Map<string, unknown>();

  constructor(
    db: Db,
    private readonly workflow: AnyWorkflow,
    private readonly dispatch: (command: WorkflowCommand) => Promise<unknown>,
    /** Whether a command's failure is for good (park it) or for now (try again). */
    private readonly isFinal: (error: unknown) => boolean,
  ) {
    this.name = `${workflow.name}_v${workflow.version}`;
    this.checkpoints = new Checkpoints(db);
    this.parked = new Parked(db);
    this.saved = db.collection('workflow_states');
  }

  async position(): Promise<bigint | undefined> {
    this.states = new Map();
    for await (const { _id, state } of this.saved.find({ _id: { $gte: `${this.name}:`, $lt: `${this.name};` } })) {
      this.states.set(_id.slice(this.name.length + 1), state);
    }
    return this.checkpoints.begin(this.name);
  }

  async apply({ events, position }: EventBatch): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    const failures: unknown[] = [];
    const changed = new Set<string>();
    for (const event of events) {
      if (!this.workflow.handles.includes(event.type)) continue;
      const { tenant } = event.metadata;
      const before = this.states.has(tenant) ? this.states.get(tenant) : (this.workflow.initialState as unknown);
      const state = this.workflow.evolve(before, event) as unknown;
      if (state !== before) {
        this.states.set(tenant, state);
        changed.add(tenant);
      }
      for (const [index, request] of this.workflow.react(event, state).entries()) {
        const sending = this.send(event, index, request)
          .catch((error: unknown) => failures.push(error))
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
        if (underWay.size >= COMMANDS_AT_ONCE) await Promise.race(underWay);
      }
    }
    await Promise.all(underWay);
    if (failures.length > 0) throw failures[0];
    for (const tenant of changed) {
      const _id = `${this.name}:${tenant}`;
      await this.saved.replaceOne({ _id }, { state: this.states.get(tenant) }, { upsert: true });
    }
    await this.checkpoints.write(this.name, position);
  }

  private async send(event: RecordedEvent, index: number, request: CommandRequest): Promise<void> {
    const { tenant, $correlationId } = event.metadata;
    const commandId = derivedId(this.workflow.name, event.id, index);
    try {
      await this.dispatch({ ...request, tenant, commandId, correlationId: $correlationId, causationId: event.id });
    } catch (error) {
      if (!this.isFinal(error)) throw error;
      await this.parked.park(this.name, event, error);
    }
  }
}
