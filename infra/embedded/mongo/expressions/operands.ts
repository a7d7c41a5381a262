import { CommandError } from '../errors';
import { type Expression, type OperatorParser } from './expressions';
import { shown } from '../bson/shown';
import { isDocument, type Value } from '../bson/values';

export type Argument = Value | undefined;

/** Whether a value counts as null in expressions: null, missing or undefined. */
export const isNullish = (value: Argument): value is null | undefined => value === null || value === undefined;

/** An operator with `least` to `most` arguments; a single one need not stand in an array. */
export function operator(least: number, most: number, apply: (...args: Argument[]) => Argument): OperatorParser {
  return (operand, parse, name) => {
    const given = Array.isArray(operand) ? operand : [operand];
    if (given.length < least || given.length > most)
      throw new CommandError(
        16020,
        `Expression ${name} takes ${least === most ? `exactly ${least}` : `at least ${least} and at most ${most}`} arguments. ${given.length} were passed in.`,
      );
    const args = given.map(parse);
    return (root, variables) => apply(...args.map((arg) => arg(root, variables)));
  };
}

/** An operator that gives null when an argument is null or missing. */
export function strict(least: number, most: number, apply: (...args: Value[]) => Argument): OperatorParser {
  return operator(least, most, (...args) => (args.some(isNullish) ? null : apply(...(args as Value[]))));
}

/** An operator that takes a document of named arguments; other names are refused. */
export function named(
  required: readonly string[],
  optional: readonly string[],
  apply: (args: (name: string) => Argument) => Argument,
): OperatorParser {
  return (operand, parse, name) => {
    const args = namedExpressions(name, operand, required, optional, parse);
    return (root, variables) => apply((argument) => args.get(argument)?.(root, variables));
  };
}

/** The compiled arguments of such an operator. @throws CommandError FailedToParse (9) for missing and unknown names. */
export function namedExpressions(
  name: string,
  operand: Value,
  required: readonly string[],
  optional: readonly string[],
  parse: (value: Value) => Expression,
): Map<string, Expression> {
  if (!isDocument(operand)) throw new CommandError('FailedToParse', `${name} only supports an object as its argument`);
  for (const argument of required)
    if (!operand.has(argument)) throw new CommandError('FailedToParse', `Missing '${argument}' parameter to ${name}`);
  for (const argument of operand.keys())
    if (!required.includes(argument) && !optional.includes(argument))
      throw new CommandError('FailedToParse', `${name} found an unknown argument: ${argument}`);
  return new Map([...operand].map(([argument, value]) => [argument, parse(value)]));
}

/** @throws CommandError TypeMismatch (14) naming the operator and the value. */
export function wrongType(name: string, expected: string, value: Argument): CommandError {
  return new CommandError('TypeMismatch', `${name} needs ${expected}, found: ${shown(value)}`);
}

export function arrayArgument(name: string, value: Argument): Value[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array', value);
  return value;
}

export function stringArgument(name: string, value: Argument): string {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value);
  return value;
}
