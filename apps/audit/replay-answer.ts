import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBooleanString, IsInt, IsOptional, IsString, IsUUID, Max, MaxLength, Min } from 'class-validator';
import { IsMoment } from '../../packages/commands';
import { IsKnownAt } from '../reports/query-parameters';
import { InvalidParameterError } from '../shared/problems';
import type { CheckResult } from './check';
import type { Replayed } from './replay';
import type { Scope } from './scope';
import { SCOPES } from './scope-kinds';

export class ReplayParameters {
  @ApiPropertyOptional({ description: 'Only this person.' })
  @IsOptional()
  @IsUUID()
  person?: string;

  @ApiPropertyOptional({ description: 'Only the active people who report to this manager, as of the date.' })
  @IsOptional()
  @IsUUID()
  team?: string;

  @ApiPropertyOptional({ description: 'Only this course.' })
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  course?: string;

  @ApiPropertyOptional({ description: 'Only this enrollment. Reads no more than its stream.' })
  @IsOptional()
  @IsUUID()
  enrollment?: string;

  @ApiPropertyOptional({ description: 'Only this attempt. Reads no more than its stream.' })
  @IsOptional()
  @IsUUID()
  attempt?: string;

  @ApiPropertyOptional({ description: 'Who looked at what in the audit, instead of the history.', enum: ['true'] })
  @IsOptional()
  @IsBooleanString()
  auditLog?: string;

  @ApiPropertyOptional({ description: 'ISO 8601 date (its end, UTC) or time; leaves out what happened later.' })
  @IsOptional()
  @IsMoment()
  asOf?: string;

  @ApiPropertyOptional({
    description: 'A log position, or the date (its end, UTC) or time of recording; leaves out what was recorded later.',
  })
  @IsOptional()
  @IsKnownAt()
  knownAt?: string;

  @ApiPropertyOptional({ description: 'The newest so many events; 1,000 when left out, none for a tenant or course.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(100_000)
  timeline?: number;

  @ApiPropertyOptional({ description: 'Compare with the read models and the warehouse.', enum: ['true', 'false'] })
  @IsOptional()
  @IsBooleanString()
  check?: string;
}

const TIMELINE = 1_000;

/** @throws InvalidParameterError for what cannot be asked together */
export function scopeOf(tenant: string, parameters: ReplayParameters): { scope: Scope; timeline: number } {
  const { asOf, knownAt, check } = parameters;
  const auditLog = parameters.auditLog === 'true' || undefined;
  const [named, second] = [...SCOPES.filter((kind) => parameters[kind]), ...(auditLog ? ['auditLog'] : [])];
  if (named && second) {
    throw new InvalidParameterError(second, `cannot be combined with ${named}: replay one or the other`);
  }
  if (check === 'true' && (asOf ?? knownAt) !== undefined) {
    const field = asOf === undefined ? 'knownAt' : 'asOf';
    throw new InvalidParameterError('check', `compares with today's read models: leave out ${field}`);
  }
  if (check === 'true' && (named === 'team' || auditLog)) {
    throw new InvalidParameterError(
      'check',
      `is for a tenant, person, course, enrollment or attempt, not for ${named}`,
    );
  }
  const only = Object.fromEntries(SCOPES.map((kind) => [kind, parameters[kind]]));
  const isLong = named === undefined || named === 'course';
  return { scope: { tenant, auditLog, ...only }, timeline: parameters.timeline ?? (isLong ? 0 : TIMELINE) };
}

export interface ReplayAnswer extends Pick<
  Replayed,
  | 'events'
  | 'digest'
  | 'documents'
  | 'state'
  | 'members'
  | 'courseOutcomes'
  | 'teamCompliance'
  | 'timeline'
  | 'timelineLeftOut'
  | 'parked'
  | 'differences'
> {
  readonly scope: Scope;
  readonly asOf: {
    readonly position: string;
    readonly time: string | null;
    readonly effective: string;
    /** As it was asked for; null for now. */
    readonly knownAt: string | null;
  };
  readonly check?: CheckResult;
}

export function answerOfReplay(
  scope: Scope,
  { effective, knownAt }: { effective: string; knownAt: string | undefined },
  { position, recordedAt, upTo: _, lastRead: _lastRead, selection: _selection, ...replayed }: Replayed,
): ReplayAnswer {
  const asOf = { position: position.toString(), time: recordedAt, effective, knownAt: knownAt ?? null };
  return { scope, asOf, ...replayed };
}
