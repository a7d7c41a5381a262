import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { type CommandDefinition, CommandInput, IsDay } from '../commands';
import { type CourseCommandData, courseDecider } from './course.decider';
import { type EnrollmentCommandData, enrollmentDecider } from './enrollment.decider';
import type { EnrollmentReason } from './enrollment.events';
import { type RuleCommandData, ruleDecider } from './rule.decider';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

class PublishCourse extends CommandInput implements Data<'PublishCourse'> {
  @Matches(ID)
  course!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  title!: string;
}

class PublishAssignmentRule extends CommandInput implements Data<'PublishAssignmentRule'> {
  @Matches(ID)
  rule!: string;

  /** Roles that the rule is for; empty means everyone. */
  @IsArray()
  @Matches(ID, { each: true })
  roles!: string[];

  @IsArray()
  @ArrayNotEmpty()
  @Matches(ID, { each: true })
  courses!: string[];

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(3650)
  dueInDays?: number;
}

class EnrollmentReasonInput {
  @IsIn(['manual', 'self', 'rule'])
  kind!: 'manual' | 'self' | 'rule';

  @ValidateIf(isRule)
  @Matches(ID)
  rule!: string;

  @ValidateIf(isRule)
  @IsInt()
  @Min(1)
  ruleVersion!: number;

  @ValidateIf(isRule)
  @IsUUID()
  cause!: string;
}

function isRule(reason: EnrollmentReasonInput): boolean {
  return reason.kind === 'rule' || reason.rule !== undefined;
}

abstract class EnrollmentInput extends CommandInput {
  @IsUUID()
  person!: string;

  @Matches(ID)
  course!: string;
}

class EnrollLearner extends EnrollmentInput implements Data<'EnrollLearner'> {
  @IsOptional()
  @IsDay()
  dueOn?: string;

  /** Why; `manual` when left out. */
  @IsOptional()
  @ValidateNested()
  @Type(() => EnrollmentReasonInput)
  reason?: EnrollmentReasonInput & EnrollmentReason;
}

class WithdrawLearner extends EnrollmentInput implements Data<'WithdrawLearner'> {}

abstract class OutcomeInput extends EnrollmentInput {
  /** The learning app's own word for the outcome, kept as it is. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  result?: string;
}

class CompleteEnrollment extends OutcomeInput implements Data<'CompleteEnrollment'> {}
class FailEnrollment extends OutcomeInput implements Data<'FailEnrollment'> {}

type AllData = CourseCommandData & RuleCommandData & EnrollmentCommandData;
type Data<Type extends keyof AllData> = AllData[Type];

const enrolled = { person: '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11', course: 'AAA-2013J' };

export const enrollmentCommands: readonly CommandDefinition[] = [
  {
    type: 'PublishCourse',
    summary: 'Publish a course, or a new version of it.',
    input: PublishCourse,
    roles: ['admin', 'service'],
    decider: courseDecider,
    example: { course: 'AAA-2013J', title: 'AAA, October 2013' },
  },
  {
    type: 'PublishAssignmentRule',
    summary: 'Publish who is assigned which courses; a change makes a new version.',
    input: PublishAssignmentRule,
    roles: ['admin', 'compliance'],
    decider: ruleDecider,
    example: { rule: 'leadership', roles: ['technique-leader'], courses: ['leadership-level-1'], dueInDays: 30 },
  },
  {
    type: 'EnrollLearner',
    summary: 'Enrol a person in a course.',
    input: EnrollLearner,
    roles: ['admin', 'service'],
    decider: enrollmentDecider,
    example: enrolled,
  },
  {
    type: 'WithdrawLearner',
    summary: 'Withdraw a person from a course.',
    input: WithdrawLearner,
    roles: ['admin', 'service'],
    decider: enrollmentDecider,
    example: enrolled,
  },
  {
    type: 'CompleteEnrollment',
    summary: 'Record that a person completed a course.',
    input: CompleteEnrollment,
    roles: ['admin', 'service'],
    decider: enrollmentDecider,
    example: { ...enrolled, result: 'Pass' },
  },
  {
    type: 'FailEnrollment',
    summary: 'Record that a person failed a course.',
    input: FailEnrollment,
    roles: ['admin', 'service'],
    decider: enrollmentDecider,
    example: { ...enrolled, result: 'Fail' },
  },
];
