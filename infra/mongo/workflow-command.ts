import type { CommandRequest } from '../../packages/eventsourcing';

/** A workflow's command on its way to the bus. */
export interface WorkflowCommand extends CommandRequest {
  /** Name of the reaction that asks for it. */
  readonly reaction: string;
  readonly tenant: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
}
