import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForbiddenError, UnauthenticatedError } from '../../packages/auth';
import { type FieldProblem, InvalidCommandError } from '../../packages/commands';
import {
  DomainError,
  EventStoreUnavailableError,
  RevisionMismatchError,
  TooManyConflictsError,
} from '../../packages/eventsourcing';
import { LogAlteredError } from '../../packages/evidence';
import type { Log } from '../../infra/log';
import { isReadSideUnavailable } from '../../infra/unavailable';
import { UnknownCommandError } from './command-dispatcher';

/** RFC 9457 problem details. `type` is stable: programs may rely on it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** For a broken rule of the domain: its code, as in the context's README. */
  readonly code?: string;
  readonly fields?: readonly FieldProblem[];
  readonly correlationId?: string;
}

/** The read side has not come as far as the caller asked within the time that a query may wait. */
export class ReadModelBehindError extends Error {
  override name = 'ReadModelBehindError';
}

/** More is being asked than will be answered in good time. */
export class BusyError extends Error {
  override name = 'BusyError';
  /** @param retryAfter when to ask again, in seconds */
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(`${message} Ask again in ${retryAfter} s.`);
  }
}

/** A parameter of a query cannot be used; `field` names it. */
export class InvalidParameterError extends Error {
  override name = 'InvalidParameterError';
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(`${field}: ${problem}`);
  }
}

/** Nothing seals the log as fast as the caller may wait for it. */
export class NotSealedError extends Error {
  override name = 'NotSealedError';
}

export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

function problemOf(error: unknown): Problem | undefined {
  if (error instanceof InvalidCommandError) {
    return problem(400, 'invalid-command', 'The command is not valid.', error, { fields: error.fields });
  }
  if (error instanceof InvalidParameterError) {
    const { field, problem: text } = error;
    return problem(400, 'invalid-parameter', 'A parameter is not valid.', error, {
      fields: [{ field, problem: text }],
    });
  }
  if (error instanceof UnauthenticatedError) return problem(401, 'unauthenticated', 'Who are you?', error);
  if (error instanceof ForbiddenError) return problem(403, 'forbidden', 'The token does not allow this.', error);
  if (error instanceof UnknownCommandError) return problem(404, 'unknown-command', 'There is no such command.', error);
  if (error instanceof NotFoundError) return problem(404, 'not-found', 'There is no such thing.', error);
  if (error instanceof TooManyConflictsError) return problem(409, 'conflict', 'Other writers were faster.', error);
  if (error instanceof LogAlteredError) {
    return problem(409, 'log-altered', 'The log is not what was sealed; see the verification.', error);
  }
  if (error instanceof RevisionMismatchError) return problem(412, 'revision-mismatch', 'The stream moved on.', error);
  if (error instanceof DomainError) {
    return problem(422, 'refused', 'A rule of the domain refuses this.', error, { code: error.code });
  }
  if (error instanceof EventStoreUnavailableError) {
    return problem(503, 'store-unavailable', 'The event store does not answer; send the command again.', error);
  }
  if (isReadSideUnavailable(error)) {
    return problem(503, 'read-side-unavailable', 'MongoDB or ClickHouse does not answer; ask again.', error);
  }
  if (error instanceof ReadModelBehindError)
    return problem(503, 'read-model-behind', 'The read side is behind.', error);
  if (error instanceof BusyError) return problem(503, 'busy', 'Too much is waiting to be answered.', error);
  if (error instanceof NotSealedError) return problem(503, 'not-sealed', 'The log is not sealed so far.', error);
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return problem(status, 'http', STATUS_CODES[status] ?? 'Error', error);
  }
  const { statusCode } = error as { statusCode?: unknown };
  if (error instanceof Error && typeof statusCode === 'number' && statusCode < 500) {
    return problem(statusCode, 'http', STATUS_CODES[statusCode] ?? 'Error', error);
  }
  return undefined;
}

const INTERNAL_PROBLEM: Problem = {
  type: 'urn:attest:problem:internal',
  title: 'Something went wrong here.',
  status: 500,
  detail: 'The error is in the log under the correlation id. Sending the command again with the same id is safe.',
};

function problem(status: number, type: string, title: string, error: Error, more: Partial<Problem> = {}): Problem {
  return { type: `urn:attest:problem:${type}`, title, status, detail: error.message, ...more };
}

/** Whether an error says no for good, so that sending the same again is of no use. */
export function isFinalRefusal(error: unknown): boolean {
  const status = problemOf(error)?.status;
  return status !== undefined && [400, 403, 404, 422].includes(status);
}

/** Turns errors into problems and logs each one; what nobody foresaw is logged as an error, with its stack. */
export class Problems {
  constructor(private readonly log: Log) {}

  /** @param where what the log says beside the error, the correlation id above all */
  of(error: unknown, where: Readonly<Record<string, unknown>>): Problem {
    const known = problemOf(error);
    if (known) this.log.info({ ...where, problem: known.type, detail: known.detail }, 'refused');
    else this.log.error({ ...where, err: error }, 'failed');
    return known ?? INTERNAL_PROBLEM;
  }
}

/** Answers every error of an HTTP route as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly problems: Problems) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { id: correlationId, method, url } = http.getRequest<FastifyRequest>();
    const problem = this.problems.of(error, { correlationId, method, url });
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof BusyError) void reply.header('retry-after', String(error.retryAfter));
    void reply
      .status(problem.status)
      .header('content-type', 'application/problem+json')
      .send({ ...problem, correlationId });
  }
}
