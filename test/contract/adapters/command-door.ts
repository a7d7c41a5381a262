import { assessmentCommands } from '../../../packages/assessment';
import { type CommandDefinition, validateCommand } from '../../../packages/commands';
import { courseCommands, enrollmentCommands, notificationCommands, ruleCommands } from '../../../packages/enrollment';
import type { CommandContext, CommandPipeline, CommandResult } from '../../../packages/eventsourcing';
import {
  peopleCommands,
  permissionCommands,
  reportingLinesCommands,
  titleMappingCommands,
} from '../../../packages/people';

const definitions = new Map<string, CommandDefinition>(
  [
    ...peopleCommands,
    ...titleMappingCommands,
    ...reportingLinesCommands,
    ...permissionCommands,
    ...courseCommands,
    ...ruleCommands,
    ...enrollmentCommands,
    ...notificationCommands,
    ...assessmentCommands,
  ].map((definition) => [definition.type, definition]),
);

/** Sends a command as the doors do: validated, with its facts looked up, through the pipeline. */
export function sendCommand(
  pipeline: CommandPipeline,
  { type, data, at }: { type: string; data: object; at: string },
  context: CommandContext,
): Promise<CommandResult> {
  const { input, decider, facts } = definitions.get(type)!;
  const fields = validateCommand({ input }, data);
  const lookUp = facts && (() => facts(fields as never, (other, id) => pipeline.stateOf(other, context.tenant, id)));
  return pipeline.handle(decider, { type, data: fields, at: new Date(at).toISOString() }, context, lookUp);
}
