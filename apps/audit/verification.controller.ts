import { Readable } from 'node:stream';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Db } from 'mongodb';
import { EventStoreDb } from '../../infra/eventstore';
import { SealLedger } from '../../infra/mongo';
import type { Caller } from '../../packages/auth';
import { parseStreamName } from '../../packages/eventsourcing';
import { CallerOf } from '../shared/authentication';
import { InvalidParameterError, type Problem, Problems } from '../shared/problems';
import { SealKeys } from '../shared/seal-keys';
import { Audited } from './audit-log';
import { type VerificationProgress, type VerificationResult, verifyLog } from './verify';

class VerificationParameters {
  @ApiPropertyOptional({
    description: 'Only this stream, for example acme.person-08070d43-331b-5a1b-85de-13077ae5fa4d.',
  })
  @IsOptional()
  @IsString()
  stream?: string;
}

/** One line of the answer. */
export type VerificationLine =
  { readonly progress: VerificationProgress } | { readonly result: VerificationResult } | { readonly problem: Problem };

/** Whether the log is what was written. */
@Controller('v1/audit')
@Audited()
export class VerificationController {
  private readonly ledger: SealLedger;

  constructor(
    private readonly store: EventStoreDb,
    private readonly keys: SealKeys,
    private readonly problems: Problems,
    db: Db,
  ) {
    this.ledger = new SealLedger(db);
  }

  @Get('verify')
  @ApiOperation({
    summary: 'Check the hash chains, the seals, and every event against its seal.',
    description: 'Answers NDJSON: {"progress"} now and then, {"result"} or {"problem"} as the last line.',
  })
  @ApiProduces('application/x-ndjson')
  @ApiOkResponse({ description: 'One line at a time.', schema: { type: 'string' } })
  async verify(
    @CallerOf() { tenant }: Caller,
    @Query() { stream }: VerificationParameters,
    @Req() { id: correlationId }: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (stream !== undefined && parseStreamName(stream)?.tenant !== tenant) {
      throw new InvalidParameterError('stream', `must be a stream of this tenant, ${tenant}.<category>-<id>`);
    }
    const anchors = { trusted: this.keys.ring().trusted, kept: await this.ledger.newest(tenant) };
    const lines = this.lines(verifyLog(this.store, stream ? { stream } : { tenant }, anchors), correlationId);
    void reply.header('content-type', 'application/x-ndjson');
    await reply.send(Readable.from(lines));
  }

  /** What fails behind the first line can only be told in a line. */
  private async *lines(source: AsyncIterable<VerificationLine>, correlationId: string): AsyncGenerator<string> {
    try {
      for await (const line of source) yield `${JSON.stringify(line)}\n`;
    } catch (error) {
      yield `${JSON.stringify({ problem: this.problems.of(error, { correlationId }) })}\n`;
    }
  }
}
