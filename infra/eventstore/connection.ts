import { ErrorType, EventStoreDBClient, isCommandError } from '@eventstore/db-client';
import { EventStoreUnavailableError } from '../../packages/eventsourcing';

/**
 * How long one append may take before it is sent again, in milliseconds: far longer than a busy disk needs, since a store that is gone
 * breaks the call. The client itself never gives up on a batch append.
 */
export const APPEND_TIMEOUT = 30_000;

/** A client whose calls wait as long as an append may take; the client's own default is ten seconds. */
export function connect(url: string): EventStoreDBClient {
  const isSaid = /[?&]defaultDeadline=/i.test(url);
  const deadline = `${url.includes('?') ? '&' : '?'}defaultDeadline=${APPEND_TIMEOUT}`;
  return EventStoreDBClient.connectionString(isSaid ? url : `${url}${deadline}`);
}

/** Whether a call may succeed when it is made again. */
export function isTransient(error: unknown): boolean {
  if (error instanceof EventStoreUnavailableError) return true;
  if (!(error instanceof Error) || !isCommandError(error)) return isTransportError(error);
  switch (error.type) {
    case ErrorType.UNAVAILABLE:
    case ErrorType.TIMEOUT:
    case ErrorType.DEADLINE_EXCEEDED:
    case ErrorType.CANCELLED:
    case ErrorType.NOT_LEADER:
      return true;
    case ErrorType.UNKNOWN:
      return isTransportError(error);
    default:
      return false;
  }
}

/**
 * Whether the client itself is of no use any more: version 6.2 does not reconnect by itself after INTERNAL or UNKNOWN, and a new one
 * always does. A call that took too long says nothing of that.
 */
export function isBroken(error: unknown): boolean {
  if (error instanceof EventStoreUnavailableError) return false;
  if (!(error instanceof Error) || !isCommandError(error)) return true;
  const { UNAVAILABLE, TIMEOUT, DEADLINE_EXCEEDED } = ErrorType;
  return ![UNAVAILABLE, TIMEOUT, DEADLINE_EXCEEDED].some((type) => type === error.type);
}

/** gRPC INTERNAL (13), UNKNOWN (2), UNAVAILABLE (14) and CANCELLED (1) without a typed reason come from the transport. */
function isTransportError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && [1, 2, 13, 14].includes(code);
}

/** What callers are told of a call that may succeed later. */
export function unavailable(cause: unknown): EventStoreUnavailableError {
  if (cause instanceof EventStoreUnavailableError) return cause;
  const { message, type } = cause as Error & { type?: string };
  return new EventStoreUnavailableError(`the event store does not answer: ${message || type}`, { cause });
}
