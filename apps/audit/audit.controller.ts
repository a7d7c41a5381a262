import { Controller, Get, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBooleanString, IsOptional, IsString, IsUUID } from 'class-validator';
import { EventStoreDb } from '../../infra/eventstore';
import type { Caller } from '../../packages/auth';
import { IsMoment } from '../../packages/commands';
import { momentOf } from '../reports/query-parameters';
import { ReadSide } from '../reports/read-side';
import { CallerOf } from '../shared/authentication';
import { InvalidParameterError } from '../shared/problems';
import { Audited } from './audit-log';
import { checkReplay, type CheckResult } from './check';
import { Replay, type Scope } from './replay';
import { explain, type Explanation } from './why';

class ReplayParameters {
  @ApiPropertyOptional({ description: 'Only this person.' })
  @IsOptional()
  @IsUUID()
  person?: string;

  @ApiPropertyOptional({ description: 'Only this course.' })
  @IsOptional()
  @IsString()
  course?: string;

  @ApiPropertyOptional({ description: 'ISO 8601 date (its end, UTC) or time; leaves out what happened later.' })
  @IsOptional()
  @IsMoment()
  asOf?: string;

  @ApiPropertyOptional({ description: 'Compare with the read models and the warehouse.', enum: ['true', 'false'] })
  @IsOptional()
  @IsBooleanString()
  check?: string;
}

export interface ReplayAnswer {
  readonly scope: Scope;
  readonly asOf: { readonly position: string; readonly time: string | null; readonly effective: string };
  readonly events: number;
  /** Over every document that the replay led to; equal for equal history. */
  readonly digest: string;
  /** Documents by read model. */
  readonly documents: Readonly<Record<string, number>>;
  /** For one person: what the log says of them. */
  readonly person?: Readonly<Record<string, unknown>>;
  readonly courseOutcomes: ReturnType<Replay['courseOutcomes']>;
  readonly teamCompliance: ReturnType<Replay['teamCompliance']>;
  readonly check?: CheckResult;
}

/** What the log itself says, for compliance. */
@Controller('v1/audit')
@Audited()
export class AuditController {
  constructor(
    private readonly store: EventStoreDb,
    private readonly readSide: ReadSide,
  ) {}

  @Get('replay')
  async replay(@CallerOf() { tenant }: Caller, @Query() parameters: ReplayParameters): Promise<ReplayAnswer> {
    const { person, course, asOf, check } = parameters;
    if (person && course)
      throw new InvalidParameterError('course', 'cannot be combined with person: replay one or the other');
    if (check === 'true' && asOf) {
      throw new InvalidParameterError('check', "compares with today's read models: leave out asOf");
    }
    const scope: Scope = { tenant, person, course };
    const effective = asOf === undefined ? undefined : momentOf(asOf);
    const replay = await Replay.run(this.store, scope, effective);
    const moment = effective ?? new Date().toISOString();
    return {
      scope,
      asOf: { position: replay.position.toString(), time: replay.recordedAt, effective: moment },
      events: replay.events,
      digest: replay.digest(),
      documents: Object.fromEntries(replay.folds.map(({ projection, documents }) => [projection.name, documents.size])),
      ...(person && {
        person: Object.fromEntries(
          replay.folds.map(({ projection, documents }) => [projection.name, [...documents.values()]]),
        ),
      }),
      courseOutcomes: replay.courseOutcomes(),
      teamCompliance: replay.teamCompliance(moment.slice(0, 10)),
      ...(check === 'true' && { check: await this.check(replay, scope) }),
    };
  }

  /** The chain of causes of an enrollment, notification, attempt, person or event, and what else came of the same origin. */
  @Get('why/:id')
  why(@CallerOf() { tenant }: Caller, @Param('id', ParseUUIDPipe) id: string): Promise<Explanation> {
    return explain(this.store, tenant, id);
  }

  private async check(replay: Replay, scope: Scope): Promise<CheckResult> {
    const position = replay.readUpTo.toString();
    await Promise.all([this.readSide.awaitMongo(position), this.readSide.awaitWarehouse(position)]);
    return checkReplay(replay, scope, this.readSide.db, this.readSide.warehouse, () => this.store.head());
  }
}
