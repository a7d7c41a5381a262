import type { Db } from 'mongodb';
import { type AnyWorkflow, type EventBatch, type RecordedEvent } from '../../packages/eventsourcing';
import { atOnce } from '../at-once';
import type { Consumer } from '../consumer';
import { Checkpoints } from './checkpoints';
import { Parked } from './parked';
import { type KnownState, nameOf, SHARED, WorkflowStates } from './workflow-states';
import type { WorkflowCommand } from './workflow-command';
import { WorkflowSteps } from './workflow-steps';

/** Keys that are worked on at once; what concerns one key is done in the order of the log. */
const KEYS_AT_ONCE = 64;
const KEYS_PER_PAGE = 500;

/** What is known of the keys that a run of events touches. */
type Keyed = Map<string, KnownState>;

/**
 * Runs every workflow over one reading of the log. States are saved when all commands of their events were accepted or parked, and
 * before the checkpoint moves; command ids derive from the event, so what a crash cut short comes again and changes nothing. A command
 * that is refused for good is parked with its reason, and so is an event that a workflow fails on, for what it fails on alone: the
 * reaction, or the workflow with this key.
 */
export class WorkflowRunner implements Consumer {
  readonly name = 'workflows';
  readonly options = { maxBatch: 1_000, lingerMs: 20 };
  private readonly checkpoints: Checkpoints;
  readonly steps: WorkflowSteps;
  private readonly states: WorkflowStates;
  private readonly reached = new Map<AnyWorkflow, bigint>();
  /** What each workflow knows of each tenant, as stored. */
  private readonly shared = new Map<string, KnownState | undefined>();

  constructor(
    db: Db,
    /** Lanes run beside each other, the workflows of one lane one after the other: those whose commands meet stand in one. */
    private readonly lanes: readonly (readonly AnyWorkflow[])[],
    dispatch: (command: WorkflowCommand) => Promise<unknown>,
    /** Whether a command's failure is for good (park it) or for now (try again). */
    isFinal: (error: unknown) => boolean,
  ) {
    this.checkpoints = new Checkpoints(db);
    this.steps = new WorkflowSteps(new Parked(db), dispatch, isFinal);
    this.states = new WorkflowStates(db);
  }

  /** Where the workflow that is furthest behind stands. A new one, or a new version, starts at the beginning. */
  async position(): Promise<bigint | undefined> {
    this.shared.clear();
    const workflows = this.lanes.flat();
    const reached = await this.checkpoints.beginAll(workflows.map(nameOf));
    for (const workflow of workflows) this.reached.set(workflow, reached.get(nameOf(workflow))!);
    const least = [...this.reached.values()].reduce((a, b) => (a < b ? a : b));
    return least || undefined;
  }

  async apply({ events, position }: EventBatch): Promise<void> {
    const lanes = this.lanes.map((lane) => lane.filter((workflow) => this.reached.get(workflow)! < position));
    const done = await Promise.allSettled(lanes.map((lane) => this.applyTo(lane, events)));
    for (const result of done) if (result.status === 'rejected') throw result.reason;
    await this.advance(lanes.flat(), position);
  }

  private async applyTo(lane: readonly AnyWorkflow[], events: readonly RecordedEvent[]): Promise<void> {
    for (const workflow of lane) {
      const reached = this.reached.get(workflow)!;
      const handled = events.filter((event) => event.position > reached && workflow.handles.includes(event.type));
      const mine: RecordedEvent[] = [];
      for (const event of handled) {
        if (await this.steps.keyOf(workflow, event)) mine.push(event);
      }
      for (const run of runsOf(workflow, mine)) {
        const [first] = run;
        const last = run[run.length - 1]!;
        if (workflow.key(first!) === undefined) await this.applyShared(workflow, run);
        else await this.applyKeyed(workflow, run);
        // No state may be further than the checkpoint when everybody's is asked for.
        if (last !== mine[mine.length - 1]) await this.advance([workflow], last.position);
      }
    }
  }

  private async advance(workflows: readonly AnyWorkflow[], position: bigint): Promise<void> {
    await this.checkpoints.writeAll(workflows.map(nameOf), position);
    for (const workflow of workflows) this.reached.set(workflow, position);
  }

  private async sharedOf(workflow: AnyWorkflow, tenant: string): Promise<KnownState | undefined> {
    if (workflow.initialShared === null) return undefined;
    const name = `${nameOf(workflow)}:${tenant}`;
    if (!this.shared.has(name)) {
      this.shared.set(name, (await this.states.read(nameOf(workflow), tenant, [SHARED])).get(SHARED));
    }
    return this.shared.get(name);
  }

  /** Events of which each concerns one key, all under the same shared state. */
  private async applyKeyed(workflow: AnyWorkflow, events: readonly RecordedEvent[]): Promise<void> {
    for (const [tenant, ofTenant] of groupBy(events, ({ metadata }) => metadata.tenant)) {
      const byKey = groupBy(ofTenant, (event) => workflow.key(event)!);
      const shared = (await this.sharedOf(workflow, tenant))?.state ?? (workflow.initialShared as unknown);
      const known: Keyed =
        workflow.initialOwn === null
          ? new Map<string, KnownState>()
          : await this.states.read(nameOf(workflow), tenant, [...byKey.keys()]);
      const changed: Keyed = new Map();
      await atOnce(KEYS_AT_ONCE, [...byKey], async ([key, ofKey]) => {
        let { state: own, position } = known.get(key) ?? { state: workflow.initialOwn as unknown, position: -1n };
        const stored = own;
        for (const event of ofKey) {
          if (event.position <= position) continue;
          position = event.position;
          const evolved = await this.steps.evolveOwn(workflow, event, key, own);
          if (!evolved) continue;
          await this.steps.react(workflow, event, key, { shared, own }, { shared, own: evolved.own });
          own = evolved.own;
        }
        if (own !== stored) changed.set(key, { key, state: own, position });
      });
      await this.states.write(nameOf(workflow), tenant, changed.values());
    }
  }

  /**
   * Events that change what is shared: one that may concern every key alone, page by page, and from the page where it was cut short; others
   * together, for what is shared is stored as a whole.
   */
  private async applyShared(workflow: AnyWorkflow, events: readonly RecordedEvent[]): Promise<void> {
    for (const [tenant, ofTenant] of groupBy(events, ({ metadata }) => metadata.tenant)) {
      const name = nameOf(workflow);
      const known = await this.sharedOf(workflow, tenant);
      let state: KnownState | undefined;
      for (const event of ofTenant) {
        if (known && known.position >= event.position) continue;
        const before = (state ?? known)?.state ?? (workflow.initialShared as unknown);
        const evolved = await this.steps.evolveShared(workflow, event, before);
        if (!evolved) continue;
        if (concernsAll(workflow, event)) await this.sweep(workflow, event, before, evolved.shared);
        state = { key: SHARED, state: evolved.shared, position: event.position };
      }
      if (!state) continue;
      await this.states.write(name, tenant, [state]);
      this.shared.set(`${name}:${tenant}`, state);
    }
  }

  private async sweep(workflow: AnyWorkflow, event: RecordedEvent, before: unknown, after: unknown): Promise<void> {
    const { tenant } = event.metadata;
    const name = nameOf(workflow);
    const _id = `${name}:${event.position}`;
    const total = await this.states.count(name, tenant);
    let sweep = (await this.states.sweep(_id)) ?? {
      _id,
      tenant,
      type: event.type,
      after: SHARED,
      done: 0,
      total,
      finished: false,
    };
    while (!sweep.finished) {
      const page = await this.states.page(name, tenant, sweep.after, KEYS_PER_PAGE);
      await atOnce(KEYS_AT_ONCE, page, ({ key, state: own }) =>
        this.steps.react(workflow, event, key, { shared: before, own }, { shared: after, own }),
      );
      const last = page[page.length - 1]?.key ?? sweep.after;
      sweep = { ...sweep, after: last, done: sweep.done + page.length, finished: page.length < KEYS_PER_PAGE };
      await this.states.writeSweep(sweep);
    }
  }
}

/** Whether a reaction to it may concern every key. */
function concernsAll(workflow: AnyWorkflow, event: RecordedEvent): boolean {
  return workflow.reactions.some(({ on }) => on.includes(event.type));
}

/** Parts the events so that those which change what is shared stand apart, and one of them alone where every key may react to it. */
function runsOf(workflow: AnyWorkflow, events: readonly RecordedEvent[]): RecordedEvent[][] {
  const runs: RecordedEvent[][] = [];
  let open: 'shared' | 'keyed' | undefined;
  for (const event of events) {
    const kind = workflow.key(event) === undefined ? 'shared' : 'keyed';
    const isAlone = kind === 'shared' && concernsAll(workflow, event);
    if (kind === open && !isAlone) runs.at(-1)!.push(event);
    else runs.push([event]);
    open = isAlone ? undefined : kind;
  }
  return runs;
}

function groupBy<T>(list: readonly T[], of: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) {
    const group = groups.get(of(each));
    if (group) group.push(each);
    else groups.set(of(each), [each]);
  }
  return groups;
}
