import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import type { Caller } from '../../packages/auth';
import { CommandPipeline } from '../../packages/eventsourcing';
import { Allow } from '../shared/authentication';
import { InvalidParameterError } from '../shared/problems';
import { recordConsultation } from './consultation';

/** Characters of all parameters of one request. */
const LONGEST = 20_000;

/** Records each request before it is handled. What cannot be recorded is not answered. */
@Injectable()
export class RecordsConsultations implements NestInterceptor {
  constructor(private readonly pipeline: CommandPipeline) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest & { caller: Caller }>();
    const { caller, id: correlationId } = request;
    await recordConsultation(this.pipeline, {
      tenant: caller.tenant,
      actor: { sub: caller.sub, roles: caller.roles, via: 'http' },
      request: `${request.method} ${request.routeOptions.url ?? ''}`,
      parameters: parametersOf(request),
      correlationId,
    });
    return next.handle();
  }
}

/** For every controller of the audit: compliance only, and no answer that is not recorded. */
export const Audited = (): ClassDecorator =>
  applyDecorators(ApiTags('audit'), ApiBearerAuth(), Allow('compliance'), UseInterceptors(RecordsConsultations));

function parametersOf({ params, query, body }: FastifyRequest): Record<string, string> {
  const given = { ...(params as object), ...(query as object), ...(body as object | undefined) };
  const texts = Object.entries(given).map(([name, value]): [string, string] => [
    name.toWellFormed(),
    (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed(),
  ]);
  const length = texts.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  if (length > LONGEST) {
    throw new InvalidParameterError('', `the parameters have ${length} characters; ${LONGEST} can be recorded`);
  }
  return Object.fromEntries(texts);
}
