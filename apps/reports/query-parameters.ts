import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBooleanString,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { Type } from 'class-transformer';
import { IsMoment, isMoment } from '../../packages/commands';
import { REPORT_FORMATS, type ReportFormat } from './media-types';

const POSITION = /^\d{1,19}$/;
/** What every query takes. */
export class QueryParameters {
  @ApiPropertyOptional({ description: 'Wait until the answer includes this position, as a command gave it.' })
  @IsOptional()
  @Matches(POSITION, { message: 'minPosition must be a position as a command gave it' })
  minPosition?: string;
}

export class PageParameters extends QueryParameters {
  @ApiPropertyOptional({ default: 100, maximum: 1000 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 100;

  @ApiPropertyOptional({ description: 'The last id of the page before.' })
  @IsOptional()
  @IsString()
  after?: string;
}

export class PeopleParameters extends PageParameters {
  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  employeeNumber?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsUUID()
  manager?: string;
}

export class LearningParameters extends PageParameters {
  @ApiPropertyOptional()
  @IsOptional()
  @IsUUID()
  person?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  course?: string;
}

export class JobTitleParameters extends PageParameters {
  @ApiPropertyOptional({ description: 'Only those that somebody mapped, or only those that nobody did.' })
  @IsOptional()
  @IsBooleanString()
  mapped?: string;
}

export class NotificationParameters extends PageParameters {
  @ApiPropertyOptional()
  @IsOptional()
  @IsUUID()
  person?: string;

  @ApiPropertyOptional({ enum: ['pending', 'sent'] })
  @IsOptional()
  @IsIn(['pending', 'sent'])
  status?: string;
}

export class AsOfParameters extends QueryParameters {
  @ApiPropertyOptional({ description: 'ISO 8601 date (its end, UTC) or time. Now when left out.' })
  @IsOptional()
  @IsMoment()
  asOf?: string;
}

/** What was known at a point of the log, or at a time: a log position, or a date or time of recording. */
export function IsKnownAt(): PropertyDecorator {
  return ValidateBy({
    name: 'isKnownAt',
    validator: {
      validate: (value) => typeof value === 'string' && (POSITION.test(value) || isMoment(value)),
      defaultMessage: () =>
        'knownAt must be a log position, or a date or a time with its offset, such as 2026-03-01T09:30:00Z',
    },
  });
}

export class ReportParameters extends AsOfParameters {
  @ApiPropertyOptional({
    description:
      'As it was known then: a log position, or the date (its end, UTC) or time of recording. Now when left out.',
  })
  @IsOptional()
  @IsKnownAt()
  knownAt?: string;

  @ApiPropertyOptional({ description: 'Only people below this manager. You, unless you see the whole tenant.' })
  @IsOptional()
  @IsUUID()
  manager?: string;

  @ApiPropertyOptional({
    enum: ['subtree', 'direct'],
    default: 'subtree',
    description: 'Everybody below the manager, or only who reports to them.',
  })
  @IsOptional()
  @IsIn(['subtree', 'direct'])
  scope?: 'subtree' | 'direct';

  @ApiPropertyOptional({ default: 30, maximum: 3650, description: 'How many days ahead is soon.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(3650)
  within?: number;

  @ApiPropertyOptional({ description: 'Only this course.' })
  @IsOptional()
  @IsString()
  course?: string;

  @ApiPropertyOptional({ enum: REPORT_FORMATS, description: 'Otherwise as `Accept` says; JSON when it says nothing.' })
  @IsOptional()
  @IsIn(REPORT_FORMATS)
  format?: ReportFormat;

  @ApiPropertyOptional({
    default: 10_000,
    maximum: 10_000,
    description: 'Rows of a page of JSON. Files hold all rows.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit?: number;

  @ApiPropertyOptional({ description: '`next` of the page before: the next rows of the report as it was then.' })
  @IsOptional()
  @IsString()
  cursor?: string;
}

/** What `knownAt` stands for. */
export function knownAtOf(knownAt: string): { position: bigint } | { moment: string } {
  return POSITION.test(knownAt) ? { position: BigInt(knownAt) } : { moment: momentOf(knownAt) };
}

/** A date means its last moment. */
export function momentOf(asOf: string): string {
  return new Date(/^\d{4}-\d{2}-\d{2}$/.test(asOf) ? `${asOf}T23:59:59.999Z` : asOf).toISOString();
}
