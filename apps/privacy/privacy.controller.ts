import { randomUUID } from 'node:crypto';
import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Req, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Db } from 'mongodb';
import { EventStoreDb } from '../../infra/eventstore';
import { type Caller, ForbiddenError } from '../../packages/auth';
import { CommandPipeline } from '../../packages/eventsourcing';
import { type Privacy, privacyDecider } from '../../packages/privacy';
import { ReadSide } from '../reports/read-side';
import { Allow, CallerOf } from '../shared/authentication';
import { LongAnswers } from '../shared/long-answers';
import { ToldReading } from '../shared/progress';
import { copyPersonalData, type PersonalCopy } from './personal-copy';
import { rewrapKeys } from './rewrap-keys';

export type PrivacyStanding = { readonly person: string } & Privacy;
/** `export` is the id that it was recorded with. */
export type GivenCopy = PersonalCopy & { readonly export: string };

@Controller('v1/privacy')
@ApiTags('privacy')
@ApiBearerAuth()
export class PrivacyController {
  constructor(
    private readonly store: EventStoreDb,
    private readonly pipeline: CommandPipeline,
    private readonly db: Db,
    private readonly readSide: ReadSide,
    private readonly answers: LongAnswers,
  ) {}

  @Get(':person')
  @Allow('compliance', 'admin')
  @ApiOperation({ summary: 'Legal holds, the newest erasure with its receipt, and the copies given out.' })
  async standing(
    @CallerOf() { tenant }: Caller,
    @Param('person', ParseUUIDPipe) person: string,
  ): Promise<PrivacyStanding> {
    return { person, ...(await this.pipeline.stateOf(privacyDecider, tenant, person)) };
  }

  @Get(':person/export')
  @ApiOperation({ summary: 'Everything that is known of the person; that it was given out is recorded first.' })
  async export(
    @CallerOf() caller: Caller,
    @Param('person', ParseUUIDPipe) person: string,
    @Req() request: FastifyRequest,
  ): Promise<GivenCopy | StreamableFile> {
    const { tenant, sub, roles } = caller;
    if (sub !== person && !roles.includes('compliance') && !roles.includes('admin')) {
      throw new ForbiddenError('This is for the person themselves and for compliance.');
    }
    await this.readSide.awaitMongo((await this.store.head())?.toString());
    const id = randomUUID();
    const data = { person, export: id, by: sub };
    await this.pipeline.handle(
      privacyDecider,
      { type: 'RecordExport', at: new Date().toISOString(), data },
      { tenant, actor: { sub, roles, via: 'http' }, commandId: id, correlationId: id, causationId: id },
    );
    return this.answers.answer(request, async (tell) => ({
      export: id,
      ...(await copyPersonalData(new ToldReading(this.store, tell), this.db, tenant, person)),
    }));
  }

  @Post('rewrap-keys')
  @HttpCode(200)
  @Allow('admin')
  @ApiOperation({ summary: 'Wrap the keys of all people of the tenant with the current master key.' })
  rewrap(
    @CallerOf() { tenant }: Caller,
    @Req() request: FastifyRequest,
  ): Promise<{ readonly rewrapped: number } | StreamableFile> {
    return this.answers.answer(request, (tell) => rewrapKeys(this.store, tenant, tell));
  }
}
