import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { CommandDefinition } from './command-definition';

/** One field of a command that cannot be accepted, and what it must be. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

export class InvalidCommandError extends Error {
  override name = 'InvalidCommandError';
  constructor(readonly fields: readonly FieldProblem[]) {
    super(fields.map(({ field, problem }) => `${field}: ${problem}`).join('; '));
  }
}

/**
 * The command's data as an instance of its input class.
 * @throws InvalidCommandError that names each field; unknown fields are refused, never dropped.
 */
export function validateCommand(definition: Pick<CommandDefinition, 'input'>, data: unknown): object {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidCommandError([{ field: '', problem: 'must be a JSON object' }]);
  }
  const input = plainToInstance(definition.input, data);
  const errors = validateSync(input, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (errors.length > 0) throw new InvalidCommandError(errors.flatMap((error) => fieldProblems(error)));
  return input;
}

function fieldProblems(error: ValidationError, path = ''): FieldProblem[] {
  const field = path ? `${path}.${error.property}` : error.property;
  const own = Object.values(error.constraints ?? {}).map((problem) => ({ field, problem }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, field))];
}
