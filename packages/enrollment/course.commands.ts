import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { type CommandDefinition, CommandInput } from '../commands';
import { type CourseCommandData, courseDecider } from './course.decider';
import type { Validity } from './enrollment.events';
import { ID } from './rule.commands';

const DAY_OF_YEAR =
  /^(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|[12]\d))$/;

class ValidityInput {
  @IsIn(['unlimited', 'days', 'yearly'])
  kind!: 'unlimited' | 'days' | 'yearly';

  @ValidateIf(({ kind }: ValidityInput) => kind === 'days')
  @IsInt()
  @Min(1)
  @Max(36_500)
  days!: number;

  @ValidateIf(({ kind }: ValidityInput) => kind === 'yearly')
  @Matches(DAY_OF_YEAR, { message: '$property must be a day of the year, such as 12-31' })
  on!: string;
}

abstract class CourseInput extends CommandInput {
  @Matches(ID)
  course!: string;
}

abstract class ContentInput extends CourseInput {
  /** How long a pass counts; for ever when never said. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ValidityInput)
  validity?: ValidityInput & Validity;

  /** The assessment that completes the course. */
  @IsOptional()
  @Matches(ID)
  assessment?: string;
}

class DraftCourse extends ContentInput implements Data<'DraftCourse'> {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  title!: string;
}

class PublishCourse extends ContentInput implements Data<'PublishCourse'> {
  /** That of the draft, or of the version before, when left out. */
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  title?: string;
}

class RetireCourse extends CourseInput implements Data<'RetireCourse'> {}

type Data<Type extends keyof CourseCommandData> = CourseCommandData[Type];

export const courseCommands: readonly CommandDefinition[] = [
  {
    type: 'DraftCourse',
    summary: 'Prepare a course, or its next version.',
    input: DraftCourse,
    roles: ['admin', 'service'],
    decider: courseDecider,
    example: { course: 'code-of-conduct', title: 'Code of Conduct', validity: { kind: 'days', days: 365 } },
  },
  {
    type: 'PublishCourse',
    summary: 'Publish a course, or a new version of it.',
    input: PublishCourse,
    roles: ['admin', 'service'],
    decider: courseDecider,
    example: { course: 'AAA-2013J', title: 'AAA, October 2013' },
  },
  {
    type: 'RetireCourse',
    summary: 'Offer a course no longer; publishing it again brings it back.',
    input: RetireCourse,
    roles: ['admin', 'service'],
    decider: courseDecider,
    example: { course: 'AAA-2013J' },
  },
];
