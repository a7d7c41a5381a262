import { Controller, Get, Query, Req, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { Db } from 'mongodb';
import { EventStoreDb } from '../../infra/eventstore';
import { SealLedger } from '../../infra/mongo';
import type { Caller } from '../../packages/auth';
import { parseStreamName } from '../../packages/eventsourcing';
import { CallerOf } from '../shared/authentication';
import { LINES, LongAnswers } from '../shared/long-answers';
import { InvalidParameterError } from '../shared/problems';
import { SealKeys } from '../shared/seal-keys';
import { Audited } from './audit-log';
import { verifyLog } from './verify';

class VerificationParameters {
  @ApiPropertyOptional({
    description: 'Only this stream, for example acme.person-08070d43-331b-5a1b-85de-13077ae5fa4d.',
  })
  @IsOptional()
  @IsString()
  stream?: string;
}

/** Whether the log is what was written. */
@Controller('v1/audit')
@Audited()
export class VerificationController {
  private readonly ledger: SealLedger;

  constructor(
    private readonly store: EventStoreDb,
    private readonly keys: SealKeys,
    private readonly answers: LongAnswers,
    db: Db,
  ) {
    this.ledger = new SealLedger(db);
  }

  @Get('verify')
  @ApiOperation({
    summary: 'Check the hash chains, the seals, and every event against its seal.',
    description: 'Answers NDJSON: {"progress"} now and then, {"result"} or {"problem"} as the last line.',
  })
  @ApiProduces(LINES)
  @ApiOkResponse({ description: 'One line at a time.', schema: { type: 'string' } })
  async verify(
    @CallerOf() { tenant }: Caller,
    @Query() { stream }: VerificationParameters,
    @Req() request: FastifyRequest,
  ): Promise<StreamableFile> {
    if (stream !== undefined && parseStreamName(stream)?.tenant !== tenant) {
      throw new InvalidParameterError('stream', `must be a stream of this tenant, ${tenant}.<category>-<id>`);
    }
    const anchors = { trusted: this.keys.ring().trusted, kept: await this.ledger.newest(tenant) };
    return this.answers.lines(request, verifyLog(this.store, stream ? { stream } : { tenant }, anchors));
  }
}
