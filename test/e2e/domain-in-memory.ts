import { workflowLanes } from '../../apps/projector/workflow-lanes';
import { readHrisFact } from '../../apps/people/hris-facts';
import type { CommandDefinition, LookUp } from '../../packages/commands';
import { courseCommands, enrollmentCommands, notificationCommands, ruleCommands } from '../../packages/enrollment';
import {
  type AnyWorkflow,
  derivedId,
  type DomainEvent,
  eventId,
  type RecordedEvent,
  streamName,
} from '../../packages/eventsourcing';
import { peopleCommands, reportingLinesCommands, titleMappingCommands } from '../../packages/people';

const definitions = new Map<string, CommandDefinition>(
  [
    ...peopleCommands,
    ...titleMappingCommands,
    ...reportingLinesCommands,
    ...courseCommands,
    ...ruleCommands,
    ...enrollmentCommands,
    ...notificationCommands,
  ].map((definition) => [definition.type, definition]),
);

interface Known {
  shared: unknown;
  readonly own: Map<string, unknown>;
}

/**
 * The deciders and workflows of one tenant without any store: what the engines keep, in memory. Fast enough for histories of many thousands
 * of people; how the same goes through the engines, the tests beside it show on less.
 */
export class DomainInMemory {
  readonly log: RecordedEvent[] = [];
  private readonly states = new Map<string, unknown>();
  private readonly commands = new Set<string>();
  private readonly known = new Map<AnyWorkflow, Known>();

  constructor(private readonly tenant: string) {}

  /** Applies a CloudEvent of the HRIS, and everything that follows from it. */
  async hris(kind: string, event: object): Promise<void> {
    const payload = Buffer.from(JSON.stringify(event));
    const { type, data, commandId } = readHrisFact(`hris.${this.tenant}.person.${kind}`, payload);
    const { occurredAt, ...fields } = data as { occurredAt: string };
    await this.send(type, fields, occurredAt, commandId);
  }

  async send(type: string, data: object, at: string, commandId: string): Promise<void> {
    const fresh = await this.decide(type, data, at, commandId);
    for (let next = fresh.shift(); next; next = fresh.shift()) fresh.push(...(await this.react(next)));
  }

  private async decide(type: string, data: object, at: string, commandId: string): Promise<RecordedEvent[]> {
    if (this.commands.has(commandId)) return [];
    this.commands.add(commandId);
    const { decider, facts } = definitions.get(type)!;
    const lookUp: LookUp = (other, id) =>
      Promise.resolve((this.states.get(streamName(this.tenant, other.category, id)) ?? other.initialState) as never);
    const command = { type, data: { ...data, ...(await facts?.(data as never, lookUp)) }, at };
    const stream = streamName(this.tenant, decider.category, decider.id(command));
    let state = this.states.has(stream) ? this.states.get(stream) : (decider.initialState as unknown);
    const events = decider.decide(command, state) as readonly DomainEvent[];
    return events.map((event, index) => {
      state = decider.evolve(state, event) as unknown;
      this.states.set(stream, state);
      return this.record(stream, event, eventId(commandId, index), event.at ?? at);
    });
  }

  private record(stream: string, { type, data }: DomainEvent, id: string, occurredAt: string): RecordedEvent {
    const metadata = { tenant: this.tenant, occurredAt } as RecordedEvent['metadata'];
    const position = BigInt(this.log.length + 1);
    const recorded = {
      id,
      stream,
      revision: 0,
      position,
      type,
      data,
      metadata,
      recordedAt: '2026-01-01T00:00:00.000Z',
    };
    this.log.push(recorded);
    return recorded;
  }

  private async react(event: RecordedEvent): Promise<RecordedEvent[]> {
    const fresh: RecordedEvent[] = [];
    for (const workflow of workflowLanes.flat()) {
      if (!workflow.handles.includes(event.type)) continue;
      const known: Known = this.known.get(workflow) ?? { shared: workflow.initialShared, own: new Map() };
      this.known.set(workflow, known);
      const { shared } = known;
      const key = workflow.key(event);
      if (key === undefined) known.shared = workflow.evolveShared(shared, event);
      for (const each of key === undefined ? [...known.own.keys()] : [key]) {
        const own = known.own.has(each) ? known.own.get(each) : (workflow.initialOwn as unknown);
        const after = key === undefined ? own : (workflow.evolveOwn(own, event) as unknown);
        known.own.set(each, after);
        for (const { name, on, react } of workflow.reactions) {
          if (!on.includes(event.type)) continue;
          const requests = react(event, { shared, own }, { shared: known.shared, own: after });
          for (const [index, { type, data, at }] of requests.entries()) {
            fresh.push(...(await this.decide(type, data, at, derivedId(name, event.id, each, index))));
          }
        }
      }
    }
    return fresh;
  }
}
