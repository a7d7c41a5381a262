/** gRPC status codes that this engine answers with (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** Ends a call with a gRPC status. `trailers` become response trailers; EventStoreDB clients look at `exception`. */
export class GrpcError extends Error {
  override name = 'GrpcError';
  constructor(
    readonly code: number,
    message: string,
    readonly trailers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** The typed errors of EventStoreDB: names and extra trailers as in `Services/Transport/Grpc/RpcExceptions.cs`. */
export const esError = {
  wrongExpectedVersion: (stream: string, expected: number, actual: number): GrpcError =>
    new GrpcError(
      Status.FAILED_PRECONDITION,
      `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
      {
        exception: 'wrong-expected-version',
        'stream-name': stream,
        'expected-version': String(expected),
        'actual-version': actual < 0 ? '' : String(actual),
      },
    ),
  streamDeleted: (stream: string): GrpcError =>
    new GrpcError(Status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
      exception: 'stream-deleted',
      'stream-name': stream,
    }),
  accessDenied: (): GrpcError =>
    new GrpcError(Status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' }),
  maximumAppendSizeExceeded: (limit: number): GrpcError =>
    new GrpcError(Status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': String(limit),
    }),
  requiredMetadataMissing: (...names: string[]): GrpcError =>
    new GrpcError(Status.INVALID_ARGUMENT, `Required Metadata Property '${names.join(', ')}' is missing`, {
      exception: 'missing-required-metadata-property',
      'required-metadata-properties': names.join(','),
    }),
  invalidArgument: (message: string): GrpcError => new GrpcError(Status.INVALID_ARGUMENT, message),
  persistentSubscriptionDoesNotExist: (stream: string, group: string): GrpcError =>
    new GrpcError(Status.NOT_FOUND, `Subscription group ${group} on stream ${stream} does not exist.`, {
      exception: 'persistent-subscription-does-not-exist',
      'stream-name': stream,
      'group-name': group,
    }),
  persistentSubscriptionExists: (stream: string, group: string): GrpcError =>
    new GrpcError(Status.ALREADY_EXISTS, `Subscription group ${group} on stream ${stream} exists.`, {
      exception: 'persistent-subscription-exists',
      'stream-name': stream,
      'group-name': group,
    }),
  maximumSubscribersReached: (stream: string, group: string): GrpcError =>
    new GrpcError(Status.FAILED_PRECONDITION, `Maximum subscriptions reached for group ${group} on stream ${stream}.`, {
      exception: 'maximum-subscribers-reached',
      'stream-name': stream,
      'group-name': group,
    }),
  persistentSubscriptionDropped: (stream: string, group: string): GrpcError =>
    new GrpcError(Status.CANCELLED, `Subscription group ${group} on stream ${stream} was dropped.`, {
      exception: 'persistent-subscription-dropped',
      'stream-name': stream,
      'group-name': group,
    }),
};
