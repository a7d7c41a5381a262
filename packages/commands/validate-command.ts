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
 * The command's data as its input class allows it, in plain JSON, so that it compares with what events hold.
 * @throws InvalidCommandError that names each field; unknown fields are refused, never dropped.
 */
export function validateCommand(definition: Pick<CommandDefinition, 'input'>, data: unknown): object {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidCommandError([{ field: '', problem: 'must be a JSON object' }]);
  }
  const illFormed = illFormedText(data, '');
  if (illFormed !== undefined) {
    throw new InvalidCommandError([
      { field: illFormed, problem: 'must be well-formed Unicode, without half surrogate pairs' },
    ]);
  }
  const listed = listInList(data, '');
  if (listed !== undefined) throw new InvalidCommandError([{ field: listed, problem: 'must not be a list' }]);
  const input = plainToInstance(definition.input, data);
  const errors = validateSync(input, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
  });
  if (errors.length > 0) throw new InvalidCommandError(errors.flatMap((error) => fieldProblems(error)));
  return JSON.parse(JSON.stringify(input)) as object;
}

/** Path of a text that UTF-8 cannot hold, and that every store would therefore change in its own way. */
function illFormedText(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const found = illFormedText(each, path ? `${path}.${key}` : key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Path of a list within a list. No command has one, and class-validator would let it pass for an object with nothing wrong in it. */
function listInList(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const at = path ? `${path}.${key}` : key;
    const found = Array.isArray(value) && Array.isArray(each) ? at : listInList(each, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is wrong with a value, and with what stands in it, each by the path of its field. */
export function fieldProblems(error: ValidationError, path = ''): FieldProblem[] {
  const field = path ? `${path}.${error.property}` : error.property;
  const own = Object.values(error.constraints ?? {}).map((problem) => ({ field, problem }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, field))];
}
