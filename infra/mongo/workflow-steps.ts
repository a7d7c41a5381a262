import {
  type AnyWorkflow,
  type CommandRequest,
  derivedId,
  type Known,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import type { Parked } from './parked';
import type { WorkflowCommand } from './workflow-command';
import { nameOf, SHARED } from './workflow-states';

/**
 * What a workflow does with one event, step by step. Where its own code throws, it would throw again: then the event is parked for that
 * workflow, key or reaction, the step gives nothing, and everything else goes on. Commands that are refused for good are parked too.
 */
export class WorkflowSteps {
  constructor(
    private readonly parked: Parked,
    private readonly dispatch: (command: WorkflowCommand) => Promise<unknown>,
    private readonly isFinal: (error: unknown) => boolean,
  ) {}

  /** `of` is undefined for an event that changes what is shared. */
  keyOf(workflow: AnyWorkflow, event: RecordedEvent): Promise<{ readonly of: string | undefined } | undefined> {
    return this.orPark(nameOf(workflow), event, SHARED, () => ({ of: workflow.key(event) }));
  }

  evolveShared(
    workflow: AnyWorkflow,
    event: RecordedEvent,
    shared: unknown,
  ): Promise<{ readonly shared: unknown } | undefined> {
    const evolve = () => ({ shared: workflow.evolveShared(shared, event) as unknown });
    return this.orPark(nameOf(workflow), event, SHARED, evolve);
  }

  evolveOwn(
    workflow: AnyWorkflow,
    event: RecordedEvent,
    key: string,
    own: unknown,
  ): Promise<{ readonly own: unknown } | undefined> {
    return this.orPark(nameOf(workflow), event, key, () => ({ own: workflow.evolveOwn(own, event) as unknown }));
  }

  /** @param only the reaction of this name; all when left out */
  async react(
    workflow: AnyWorkflow,
    event: RecordedEvent,
    key: string,
    before: Known<unknown, unknown>,
    after: Known<unknown, unknown>,
    only?: string,
  ): Promise<void> {
    for (const { name, on, react } of workflow.reactions) {
      if (!on.includes(event.type) || (only !== undefined && name !== only)) continue;
      const requests = await this.orPark(name, event, key, () => react(event, before, after));
      for (const [index, request] of (requests ?? []).entries()) await this.send(name, event, key, index, request);
    }
  }

  private async send(
    reaction: string,
    event: RecordedEvent,
    key: string,
    index: number,
    request: CommandRequest,
  ): Promise<void> {
    const { tenant, $correlationId: correlationId } = event.metadata;
    const commandId = derivedId(reaction, event.id, key, index);
    const command = { ...request, reaction, tenant, commandId, correlationId, causationId: event.id };
    try {
      await this.dispatch(command);
    } catch (error) {
      if (!this.isFinal(error)) throw error;
      await this.parked.park(reaction, event, error, { key, command });
    }
  }

  private async orPark<T>(consumer: string, event: RecordedEvent, key: string, work: () => T): Promise<T | undefined> {
    try {
      return work();
    } catch (error) {
      await this.parked.park(consumer, event, error, { key });
      return undefined;
    }
  }
}
