import { RawDocument } from '../bson/read';
import { CommandError, notSupported } from '../errors';
import { expressionOperators } from './operators';
import { type Document, type Fields, isDocument, type Value } from '../bson/values';

/** Variables by name without `$$`. */
export type Variables = ReadonlyMap<string, Value | undefined>;

/** A compiled aggregation expression; undefined is a missing value. */
export type Expression = (root: Fields, variables: Variables) => Value | undefined;

/** Compiles one operator's operand. */
export type OperatorParser = (operand: Value, parse: (value: Value) => Expression, name: string) => Expression;

/**
 * Compiles an aggregation expression.
 * @throws CommandError InvalidPipelineOperator (168) for unknown operators, NotImplemented (238) for those outside the subset.
 */
export function parseExpression(value: Value): Expression {
  if (typeof value === 'string') return value.startsWith('$') ? parseReference(value) : () => value;
  if (Array.isArray(value)) {
    const items = value.map(parseExpression);
    return (root, variables) => items.map((item) => item(root, variables) ?? null);
  }
  if (!isDocument(value)) return () => value;
  const [first] = value;
  if (first?.[0].startsWith('$')) {
    if (value.size !== 1)
      throw new CommandError(15983, 'An object representing an expression must have exactly one field');
    return parseOperator(first[0], first[1]);
  }
  return parseObject(value);
}

function parseObject(value: Document): Expression {
  const fields = [...value].map(([name, field]) => {
    if (name.includes('.'))
      throw new CommandError(40181, "FieldPath field names may not contain '.' in an expression object");
    return [name, parseExpression(field)] as const;
  });
  return (root, variables) => {
    const result: Document = new Map();
    for (const [name, field] of fields) {
      const computed = field(root, variables);
      if (computed !== undefined) result.set(name, computed);
    }
    return result;
  };
}

function parseReference(text: string): Expression {
  if (!text.startsWith('$$')) return fieldPath(text.slice(1).split('.'));
  const [name = '', ...path] = text.slice(2).split('.');
  switch (name) {
    case 'REMOVE':
      return () => undefined;
    case 'NOW':
      return (_, variables) => variables.get('NOW') ?? new Date();
    case 'ROOT':
      return (root, variables) => descend(variables.get('ROOT') ?? wholeDocument(root), path);
    case 'CURRENT':
      return (root) => descend(wholeDocument(root), path);
    case 'DESCEND':
    case 'KEEP':
    case 'PRUNE':
      return () => `$$${name}`;
    case 'CLUSTER_TIME':
    case 'USER_ROLES':
    case 'SEARCH_META':
      throw notSupported(`the variable $$${name}`);
    default:
      if (!/^[a-z\u0080-\uffff]/.test(name))
        throw new CommandError('FailedToParse', `'${name}' starts with an invalid character for a user variable name`);
      return (_, variables) => {
        if (!variables.has(name)) throw new CommandError(17276, `Use of undefined variable: ${name}`);
        return descend(variables.get(name), path);
      };
  }
}

function wholeDocument(root: Fields): Document | undefined {
  return root instanceof RawDocument ? root.decode() : root instanceof Map ? (root as Document) : undefined;
}

function fieldPath(parts: string[]): Expression {
  if (parts.includes('')) throw new CommandError(40353, "FieldPath must not end with a '.' or hold an empty part.");
  const [first = '', ...rest] = parts;
  return (root) => descend(root.get(first), rest);
}

/** Follows a field path; an array on the way gives the array of what its documents have there. */
function descend(value: Value | undefined, path: readonly string[]): Value | undefined {
  let current = value;
  for (let at = 0; at < path.length; at++) {
    if (Array.isArray(current)) {
      const rest = path.slice(at);
      return current
        .map((item) => (isDocument(item) || Array.isArray(item) ? descend(item, rest) : undefined))
        .filter((item) => item !== undefined);
    }
    if (!isDocument(current)) return undefined;
    current = current.get(path[at]!);
  }
  return current;
}

function parseOperator(name: string, operand: Value): Expression {
  const operator = expressionOperators.get(name);
  if (operator) return operator(operand, parseExpression, name);
  if (unsupported.has(name)) throw notSupported(`the expression operator ${name}`);
  throw new CommandError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
}

/** Operators that MongoDB has and this engine refuses by name. */
const unsupported = new Set(
  (
    '$accumulator $function $meta $rand $sampleRate $toHashedIndexKey $dateFromParts $dateToParts $dateFromString ' +
    '$isoWeek $isoWeekYear $acos $acosh $asin $asinh $atan $atan2 $atanh $cos $cosh $sin $sinh $tan $tanh $degreesToRadians ' +
    '$radiansToDegrees $binarySize $bsonSize $bitAnd $bitOr $bitNot $bitXor $tsIncrement $tsSecond $regexFindAll $maxN $minN ' +
    '$firstN $lastN $median $percentile $setField $unsetField $toUUID $zip $stdDevPop $stdDevSamp $week'
  ).split(' '),
);
