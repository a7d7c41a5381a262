import { arithmeticOperators } from './expression-arithmetic';
import { arrayOperators } from './expression-arrays';
import { dateOperators } from './expression-dates';
import { logicOperators } from './expression-logic';
import { stringOperators } from './expression-strings';
import { typeOperators } from './expression-types';
import { type OperatorParser } from './expressions';

/** The expression operators of the subset by name. */
export const expressionOperators: ReadonlyMap<string, OperatorParser> = new Map(
  Object.entries({
    ...arithmeticOperators,
    ...arrayOperators,
    ...dateOperators,
    ...logicOperators,
    ...stringOperators,
    ...typeOperators,
  }),
);
