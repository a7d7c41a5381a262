import type { Readable } from 'node:stream';
import { Body, Controller, Headers, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../packages/auth';
import { CallerOf } from './authentication';
import { answerBulk } from './bulk-commands';
import { answerOf, type CommandAnswer, CommandDispatcher } from './command-dispatcher';
import { InvalidParameterError, Problems } from './problems';

/** Commands over HTTP, one by one or in bulk. Described in OpenAPI by `openapi.ts`, from the same definitions. */
@ApiExcludeController()
@Controller('v1/commands')
export class HttpCommandsController {
  constructor(
    private readonly dispatcher: CommandDispatcher,
    private readonly problems: Problems,
  ) {}

  @Post(':command')
  @HttpCode(200)
  async one(
    @Param('command') name: string,
    @Body() data: unknown,
    @CallerOf() caller: Caller,
    @Req() { id: correlationId }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('idempotency-key') id?: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<CommandAnswer> {
    const expectedRevision = revisionOf(ifMatch);
    const result = await this.dispatcher.dispatch(name, data, {
      caller,
      via: 'http',
      id,
      correlationId,
      expectedRevision,
    });
    void reply.header('etag', `"${result.revision}"`);
    return answerOf(result);
  }

  @Post()
  @HttpCode(200)
  async bulk(@CallerOf() caller: Caller, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (!request.headers['content-type']?.startsWith('application/x-ndjson')) {
      throw new InvalidParameterError('content-type', 'must be application/x-ndjson, one command per line');
    }
    void reply.header('content-type', 'application/x-ndjson');
    const answers = answerBulk(
      request.body as Readable,
      (command, data, id) =>
        this.dispatcher.dispatch(command, data, { caller, via: 'bulk', id, correlationId: request.id }),
      (error) => this.problems.of(error, { correlationId: request.id }),
    );
    await reply.send(answers);
  }
}

function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) return undefined;
  const revision = /^"?(\d+)"?$/.exec(ifMatch)?.[1];
  if (!revision) throw new InvalidParameterError('If-Match', 'must be a revision such as "3", as an ETag gave it');
  return Number(revision);
}
