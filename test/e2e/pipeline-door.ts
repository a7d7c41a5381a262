import type { AttestClient, BulkCommand } from '../../apps/attest/client';
import type { BulkLine } from '../../apps/shared/bulk-commands';
import { answerOf } from '../../apps/shared/command-dispatcher';
import { assessmentCommands } from '../../packages/assessment';
import { type CommandDefinition, commandPath, type LookUp, validateCommand } from '../../packages/commands';
import { courseCommands, enrollmentCommands, ruleCommands } from '../../packages/enrollment';
import { type CommandPipeline, derivedId } from '../../packages/eventsourcing';
import { peopleCommands } from '../../packages/people';

const definitions = new Map<string, CommandDefinition>(
  [...peopleCommands, ...courseCommands, ...ruleCommands, ...enrollmentCommands, ...assessmentCommands].map(
    (definition) => [commandPath(definition.type), definition],
  ),
);

/** The bulk door without the services around it: commands straight to the pipeline, for logs of many thousands of events. */
export class PipelineDoor implements Pick<AttestClient, 'bulk'> {
  constructor(
    private readonly pipeline: CommandPipeline,
    private readonly tenant: string,
  ) {}

  async *bulk(commands: readonly BulkCommand[]): AsyncIterable<BulkLine> {
    yield* await Promise.all(commands.map((command, index) => this.answer(command, index + 1)));
  }

  private async answer({ command, id, data }: BulkCommand, line: number): Promise<BulkLine> {
    const { pipeline, tenant } = this;
    try {
      const { type, decider, facts, ...definition } = definitions.get(commandPath(command))!;
      const { occurredAt, ...fields } = validateCommand(
        { type, decider, ...definition } as CommandDefinition,
        data,
      ) as {
        occurredAt: string;
      };
      const commandId = derivedId('command', tenant, id);
      const actor = { sub: 'import', roles: ['service'], via: 'bulk' };
      const context = { tenant, actor, commandId, correlationId: commandId, causationId: commandId };
      const lookUp: LookUp = (other, stream) => pipeline.stateOf(other, tenant, stream);
      const at = new Date(occurredAt).toISOString();
      const added = facts && (() => facts(fields as never, lookUp));
      return { line, ...answerOf(await pipeline.handle(decider, { type, data: fields, at }, context, added)) };
    } catch (error) {
      const { name, message } = error as Error;
      return { line, outcome: 'refused', problem: { type: name, title: name, status: 422, detail: message } };
    }
  }
}
