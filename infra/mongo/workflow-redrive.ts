import type { Db } from 'mongodb';
import { type AnyWorkflow, type EventStore, readLog, type RecordedEvent } from '../../packages/eventsourcing';
import { chunksOf } from '../at-once';
import { Checkpoints } from './checkpoints';
import { Parked, type ParkedDocument } from './parked';
import { type KnownState, nameOf, SHARED, WorkflowStates } from './workflow-states';
import type { WorkflowSteps } from './workflow-steps';

/** Keys that are folded in one reading of the tenant's log. */
const KEYS_AT_ONCE = 20_000;

/**
 * Drives events again that workflows failed on: folds the states of the keys concerned anew from the log, and reacts to the parked events
 * in their places, under the ids that their commands had. What later events led to is not decided again. For whoever alone runs the
 * workflows, while they stand still.
 */
export class WorkflowRedrive {
  private readonly parked: Parked;
  private readonly states: WorkflowStates;
  private readonly checkpoints: Checkpoints;

  constructor(
    db: Db,
    private readonly workflows: readonly AnyWorkflow[],
    private readonly steps: WorkflowSteps,
    private readonly store: EventStore,
  ) {
    this.parked = new Parked(db);
    this.states = new WorkflowStates(db);
    this.checkpoints = new Checkpoints(db);
  }

  /** Whether somebody has asked for it. */
  async isAsked(): Promise<boolean> {
    return (await this.parked.asked(this.workflows.flatMap(consumersOf))).length > 0;
  }

  /** What fails again is parked again. */
  async run(): Promise<void> {
    for (const workflow of this.workflows) {
      const asked = await this.parked.asked(consumersOf(workflow));
      for (const [tenant, ofTenant] of byTenant(asked)) {
        const upTo = await this.checkpoints.read(nameOf(workflow));
        for (const keys of chunksOf(KEYS_AT_ONCE, await this.keysOf(workflow, tenant, ofTenant))) {
          await new Refold(workflow, this.steps, ofTenant, keys)
            .run(readLog(this.store, `${tenant}.`, upTo))
            .then((states) => this.states.rewrite(nameOf(workflow), tenant, states));
        }
        await this.parked.settleAsked(ofTenant.map(({ _id }) => _id));
      }
    }
  }

  /** Where the failure was with what is shared, everybody is concerned. */
  private async keysOf(workflow: AnyWorkflow, tenant: string, parked: readonly ParkedDocument[]): Promise<string[]> {
    const named = new Set(parked.flatMap(({ key }) => (key ? [key] : [])));
    if (parked.every(({ key }) => key)) return [...named];
    for (let after = SHARED; ;) {
      const page = await this.states.page(nameOf(workflow), tenant, after, KEYS_AT_ONCE);
      for (const { key } of page) named.add(key);
      after = page.at(-1)?.key ?? after;
      if (page.length < KEYS_AT_ONCE) return named.size > 0 ? [...named] : [SHARED];
    }
  }
}

/** The states of some keys of one tenant, folded anew. */
class Refold {
  private shared: unknown;
  private sharedPosition = -1n;
  private readonly own: Map<string, { state: unknown; position: bigint }>;

  constructor(
    private readonly workflow: AnyWorkflow,
    private readonly steps: WorkflowSteps,
    private readonly parked: readonly ParkedDocument[],
    keys: readonly string[],
  ) {
    this.shared = workflow.initialShared;
    this.own = new Map(keys.map((key) => [key, { state: workflow.initialOwn as unknown, position: -1n }]));
  }

  async run(log: AsyncIterable<readonly RecordedEvent[]>): Promise<KnownState[]> {
    for await (const events of log) {
      for (const event of events) if (this.workflow.handles.includes(event.type)) await this.take(event);
    }
    const { initialShared, initialOwn } = this.workflow as { initialShared: unknown; initialOwn: unknown };
    const own = [...this.own].map(([key, { state, position }]) => ({ key, state, position }));
    return [
      ...own.filter(({ state, key }) => state !== initialOwn && key !== SHARED),
      ...(this.shared === initialShared ? [] : [{ key: SHARED, state: this.shared, position: this.sharedPosition }]),
    ];
  }

  private async take(event: RecordedEvent): Promise<void> {
    const { workflow, shared } = this;
    const key = await this.steps.keyOf(workflow, event);
    if (key === undefined) return;
    if (key.of === undefined) {
      const evolved = await this.steps.evolveShared(workflow, event, shared);
      if (!evolved) return;
      this.shared = evolved.shared;
      this.sharedPosition = event.position;
      for (const [each, { state: own }] of this.own) {
        if (own === workflow.initialOwn) continue;
        await this.react(event, each, { shared, own }, { shared: evolved.shared, own });
      }
      return;
    }
    const before = this.own.get(key.of);
    if (!before) return;
    const evolved = await this.steps.evolveOwn(workflow, event, key.of, before.state);
    this.own.set(key.of, { state: evolved ? evolved.own : before.state, position: event.position });
    if (evolved) await this.react(event, key.of, { shared, own: before.state }, { shared, own: evolved.own });
  }

  private async react(
    event: RecordedEvent,
    key: string,
    before: { shared: unknown; own: unknown },
    after: { shared: unknown; own: unknown },
  ): Promise<void> {
    const position = event.position.toString();
    for (const parked of this.parked) {
      if (parked.position !== position || (parked.key && parked.key !== key)) continue;
      const only = parked.consumer === nameOf(this.workflow) ? undefined : parked.consumer;
      await this.steps.react(this.workflow, event, key, before, after, only);
    }
  }
}

/** Under these names the workflow parks what it fails on. */
function consumersOf(workflow: AnyWorkflow): string[] {
  return [nameOf(workflow), ...workflow.reactions.map(({ name }) => name)];
}

function byTenant(parked: readonly ParkedDocument[]): Map<string, ParkedDocument[]> {
  const groups = new Map<string, ParkedDocument[]>();
  for (const each of parked) {
    const tenant = each.stream.slice(0, each.stream.indexOf('.'));
    groups.set(tenant, [...(groups.get(tenant) ?? []), each]);
  }
  return groups;
}
