import { Injectable } from '@nestjs/common';
import { Command as BusCommand, CommandBus, type ICommandHandler } from '@nestjs/cqrs';
import { type Caller, requireOwn, requireRole } from '../../packages/auth';
import { type CommandDefinition, commandPath, type LookUp, validateCommand } from '../../packages/commands';
import {
  type Command,
  type CommandContext,
  CommandPipeline,
  type CommandResult,
  derivedId,
} from '../../packages/eventsourcing';

/** A command on its way through the bus to its context: validated and authorized. Each context has its own subclass. */
export abstract class ContextCommand extends BusCommand<CommandResult> {
  constructor(
    readonly definition: CommandDefinition,
    readonly command: Command,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** Hands a context's commands to their deciders. */
export abstract class ContextCommandHandler implements ICommandHandler<ContextCommand> {
  constructor(private readonly pipeline: CommandPipeline) {}

  execute({ definition, command, context }: ContextCommand): Promise<CommandResult> {
    const { decider, facts } = definition;
    const lookUp: LookUp = (other, id) => this.pipeline.stateOf(other, context.tenant, id);
    return this.pipeline.handle(decider, command, context, facts && (() => facts(command.data as never, lookUp)));
  }
}

/** A command's result as JSON: 64-bit positions travel as strings. */
export type CommandAnswer = Omit<CommandResult, 'position'> & { readonly position: string };

export function answerOf(result: CommandResult): CommandAnswer {
  return { ...result, position: result.position.toString() };
}

/** What a door knows about a command beside its name and data. */
export interface Delivery {
  readonly caller: Caller;
  /** Name of the door, kept in the events. */
  readonly via: string;
  /** A UUID, or any text that the sender repeats with a retry; random when left out. */
  readonly id?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  readonly expectedRevision?: number | undefined;
}

export class UnknownCommandError extends Error {
  override name = 'UnknownCommandError';
}

type ContextCommandClass = new (...parameters: ConstructorParameters<typeof ContextCommand>) => ContextCommand;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Where every door hands in its commands. Knows the commands that this process hosts. */
@Injectable()
export class CommandDispatcher {
  private readonly hosted = new Map<string, { definition: CommandDefinition; busCommand: ContextCommandClass }>();

  constructor(private readonly bus: CommandBus) {}

  /** Called by each context's module for the commands that it hosts. */
  host(busCommand: ContextCommandClass, definitions: readonly CommandDefinition[]): void {
    for (const definition of definitions) this.hosted.set(commandPath(definition.type), { definition, busCommand });
  }

  get definitions(): readonly CommandDefinition[] {
    return [...this.hosted.values()].map(({ definition }) => definition);
  }

  /**
   * @param name `EnrollLearner` or `enroll-learner`
   * @throws UnknownCommandError, InvalidCommandError, ForbiddenError, and what the pipeline throws
   */
  async dispatch(name: string, data: unknown, delivery: Delivery): Promise<CommandResult> {
    const found = this.hosted.get(commandPath(name));
    if (!found) {
      const names = [...this.hosted.keys()].join(', ');
      throw new UnknownCommandError(`There is no command "${name}" here. There are: ${names}.`);
    }
    const { definition, busCommand } = found;
    const input = validateCommand(definition, data);
    requireRole(delivery.caller, definition.roles);
    const { occurredAt, ...fields } = input as { occurredAt?: string };
    const { own } = definition;
    if (own) requireOwn(delivery.caller, (sub) => own(fields as never, sub));
    const command: Command = {
      type: definition.type,
      data: definition.signed ? { ...fields, by: delivery.caller.sub } : fields,
      at: new Date(occurredAt ?? Date.now()).toISOString(),
    };
    return this.bus.execute(new busCommand(definition, command, contextOf(delivery)));
  }
}

function contextOf({ caller, via, id, correlationId, causationId, expectedRevision }: Delivery): CommandContext {
  const { sub, tenant, roles } = caller;
  const commandId = id === undefined ? crypto.randomUUID() : UUID.test(id) ? id : derivedId('command', tenant, sub, id);
  return {
    tenant,
    actor: { sub, roles, via },
    commandId,
    correlationId: correlationId ?? commandId,
    causationId: causationId ?? commandId,
    expectedRevision,
  };
}
