import { Injectable } from '@nestjs/common';
import type { WorkflowCommand } from '../../infra/mongo';
import { CommandDispatcher } from '../shared/command-dispatcher';

/** The door through which workflows send their commands. */
@Injectable()
export class WorkflowCommands {
  constructor(private readonly dispatcher: CommandDispatcher) {}

  issue(command: WorkflowCommand): Promise<unknown> {
    const { reaction, type, data, at, tenant, commandId, correlationId, causationId } = command;
    const caller = { sub: reaction, tenant, roles: ['service'] as const };
    const delivery = { caller, via: `workflow:${reaction}`, id: commandId, correlationId, causationId };
    return this.dispatcher.dispatch(type, { ...data, occurredAt: at }, delivery);
  }
}
