import { arithmeticOperators } from './arithmetic';
import { arrayOperators } from './arrays';
import { dateOperators } from './dates';
import { logicOperators } from './logic';
import { stringOperators } from './strings';
import { typeOperators } from './types';
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
