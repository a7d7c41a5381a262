import { type Expression } from './expressions';
import { type Value } from './values';

/** Compiles one operator's operand. */
export type OperatorParser = (operand: Value, parse: (value: Value) => Expression) => Expression;

/** The expression operators of the subset by name. */
export const expressionOperators: ReadonlyMap<string, OperatorParser> = new Map();
