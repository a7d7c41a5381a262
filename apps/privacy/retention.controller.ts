import { Body, Controller, Get, HttpCode, Post, Query, Req, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsUUID } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../packages/auth';
import { IsDay } from '../../packages/commands';
import type { RetentionRule } from '../../packages/privacy';
import { Allow, CallerOf } from '../shared/authentication';
import { LongAnswers } from '../shared/long-answers';
import type { Due } from './due';
import { type DueOutcome, Retention } from './retention';

class DueParameters {
  @ApiPropertyOptional({ description: 'ISO 8601 date, which may lie ahead. Today when left out.' })
  @IsOptional()
  @IsDay()
  asOf?: string;
}

class People {
  @ApiProperty({ description: 'Their ids, one by one: nothing is done with whom nobody names.', type: [String] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(10_000)
  @IsUUID(undefined, { each: true })
  people!: string[];
}

/** Who is due by the retention rules, and the two steps to their erasure. */
@Controller('v1/privacy')
@ApiTags('privacy')
@ApiBearerAuth()
@Allow('compliance', 'admin')
export class RetentionController {
  constructor(
    private readonly retention: Retention,
    private readonly answers: LongAnswers,
  ) {}

  @Get('retention-rules')
  @ApiOperation({ summary: 'The retention rules in force.' })
  rules(@CallerOf() { tenant }: Caller): Promise<RetentionRule[]> {
    return this.retention.rules(tenant);
  }

  @Get('due')
  @ApiOperation({
    summary: 'Whose name no retention rule needs any more: since when, why, and what stops its erasure.',
  })
  due(
    @CallerOf() { tenant }: Caller,
    @Query() { asOf }: DueParameters,
    @Req() request: FastifyRequest,
  ): Promise<Due | StreamableFile> {
    return this.answers.answer(request, (tell) => this.retention.due(tenant, tell, asOf));
  }

  @Post('due/request')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ask for the erasure of people who are due; somebody else must approve it.' })
  request(
    @CallerOf() caller: Caller,
    @Body() { people }: People,
    @Req() request: FastifyRequest,
  ): Promise<DueOutcome | StreamableFile> {
    return this.answers.answer(request, (tell) => this.retention.request(caller, people, tell));
  }

  @Post('due/approve')
  @HttpCode(200)
  @ApiOperation({ summary: 'Approve erasures that somebody else asked for because of retention rules: no way back.' })
  approve(
    @CallerOf() caller: Caller,
    @Body() { people }: People,
    @Req() request: FastifyRequest,
  ): Promise<DueOutcome | StreamableFile> {
    return this.answers.answer(request, (tell) => this.retention.approve(caller, people, tell));
  }
}
