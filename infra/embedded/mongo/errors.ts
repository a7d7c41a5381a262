import { type Document, type Value } from './bson/values';

/** Error codes of the MongoDB server that this engine answers with, by their code names. */
const ErrorCodes = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  InvalidLength: 16,
  IllegalOperation: 20,
  InvalidBSON: 22,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CannotIndexParallelArrays: 171,
  InvalidPipelineOperator: 168,
  NotImplemented: 238,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  UnsupportedOpQueryCommand: 352,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
} as const;

type ErrorCodeName = keyof typeof ErrorCodes;

/**
 * A command's failure, as the reply carries it: `{ ok: 0, code, codeName, errmsg, ...details }`.
 * A numeric `code` without a name is one of the server's location codes, named `Location<code>` as the server does.
 */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly code: number;
  readonly codeName: string;

  constructor(
    code: ErrorCodeName | number,
    message: string,
    readonly details: Record<string, Value> = {},
  ) {
    super(message);
    this.code = typeof code === 'number' ? code : ErrorCodes[code];
    this.codeName = typeof code === 'number' ? `Location${code}` : code;
  }
}

/** The refusal of something that MongoDB has and this engine does not; the message names it. */
export function notSupported(what: string): CommandError {
  return new CommandError('NotImplemented', `The embedded MongoDB engine does not support ${what}`);
}

/** The E11000 error with the fields drivers and applications read: `keyPattern` and `keyValue`. */
export function duplicateKey(
  namespace: string,
  index: string,
  keyPattern: Document,
  keyValue: Document,
  shown: string,
): CommandError {
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${index} dup key: ${shown}`,
    { keyPattern, keyValue },
  );
}
