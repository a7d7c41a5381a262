import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
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
  ValidateNested,
} from 'class-validator';
import { type CommandDefinition, CommandInput, IsDay, type LookUp } from '../commands';
import { courseDecider } from './course.decider';
import { type EnrollmentCommandData, enrollmentDecider } from './enrollment.decider';
import type { Recertification } from './enrollment.events';
import { ID, RecertificationInput } from './rule.commands';

abstract class EnrollmentInput extends CommandInput {
  @IsUUID()
  person!: string;

  @Matches(ID)
  course!: string;
}

class ReasonInput {
  @IsIn(['manual', 'self'])
  kind!: 'manual' | 'self';
}

class EnrollLearner extends EnrollmentInput implements Omit<Data<'EnrollLearner'>, 'isRetired'> {
  @IsOptional()
  @IsDay()
  dueOn?: string;

  /** Why; `manual` when left out. Learners may enrol themselves, and say `self`. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ReasonInput)
  reason?: ReasonInput;
}

class PeriodInput {
  @IsDay()
  from!: string;

  /** The day on which it ends; null while there is no end. */
  @IsOptional()
  @IsDay()
  until!: string | null;

  @IsInt()
  @Min(1)
  ruleVersion!: number;

  @IsUUID()
  cause!: string;

  @IsOptional()
  @IsUUID()
  endCause!: string | null;

  @IsOptional()
  @IsDay()
  dueOn!: string | null;

  @IsOptional()
  @ValidateNested()
  @Type(() => RecertificationInput)
  recertification!: Recertification | null;
}

class ApplyRequirement extends EnrollmentInput implements Data<'ApplyRequirement'> {
  @Matches(ID)
  rule!: string;

  /** All days on which the rule requires the course of the person, as known now; in order. */
  @IsArray()
  @ArrayMaxSize(1_000)
  @ValidateNested({ each: true })
  @Type(() => PeriodInput)
  periods!: PeriodInput[];

  /** Id of the event that made it so. */
  @IsUUID()
  cause!: string;
}

class MoveDueDate extends EnrollmentInput implements Data<'MoveDueDate'> {
  /** Nothing is due any more when left out. */
  @IsOptional()
  @IsDay()
  dueOn?: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason!: string;
}

class ExemptLearner extends EnrollmentInput implements Data<'ExemptLearner'> {
  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason!: string;

  /** Person id of who allowed it. */
  @IsUUID()
  approver!: string;
}

class WithdrawalInput {
  @IsIn(['manual', 'left'])
  kind!: 'manual' | 'left';

  /** Id of the event by which the person left. */
  @IsOptional()
  @IsUUID()
  cause!: string;
}

class WithdrawLearner extends EnrollmentInput implements Data<'WithdrawLearner'> {
  @IsOptional()
  @ValidateNested()
  @Type(() => WithdrawalInput)
  reason?: WithdrawalInput;
}

class StartEnrollment extends EnrollmentInput implements Data<'StartEnrollment'> {}

abstract class OutcomeInput extends EnrollmentInput {
  /** The learning app's own word for the outcome, kept as it is. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  result?: string;
}

class CompleteEnrollment
  extends OutcomeInput
  implements Omit<Data<'CompleteEnrollment'>, 'courseVersion' | 'validity'>
{
  /** The attempt that shows it. */
  @IsOptional()
  @IsUUID()
  attempt?: string;
}

class FailEnrollment extends OutcomeInput implements Data<'FailEnrollment'> {}

abstract class DueInput extends EnrollmentInput {
  /** The due date that it is about. */
  @IsDay()
  dueOn!: string;
}

class RemindLearner extends DueInput implements Data<'RemindLearner'> {}
class MarkOverdue extends DueInput implements Data<'MarkOverdue'> {}

abstract class ExpiryInput extends EnrollmentInput {
  /** The expiry of the certificate that it is about. */
  @IsDay()
  expiresOn!: string;
}

class OpenRenewal extends ExpiryInput implements Data<'OpenRenewal'> {}
class ExpireCertification extends ExpiryInput implements Data<'ExpireCertification'> {}

class SupersedeEnrollment extends EnrollmentInput implements Data<'SupersedeEnrollment'> {
  /** The version that counts instead. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  courseVersion!: number;

  @IsOptional()
  @IsDay()
  dueOn?: string;
}

type Data<Type extends keyof EnrollmentCommandData> = EnrollmentCommandData[Type];

/** What the course's published version says of a pass. */
async function courseFacts({ course }: { course: string }, lookUp: LookUp): Promise<object> {
  const { version, published } = await lookUp(courseDecider, course);
  return published ? { courseVersion: version, validity: published.validity } : {};
}

async function retirement({ course }: { course: string }, lookUp: LookUp): Promise<object> {
  return (await lookUp(courseDecider, course)).isRetired ? { isRetired: true } : {};
}

const decider = enrollmentDecider;
const enrolled = { person: '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11', course: 'AAA-2013J' };
const cause = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';

export const enrollmentCommands: readonly CommandDefinition[] = [
  {
    type: 'EnrollLearner',
    summary: 'Enrol a person in a course.',
    input: EnrollLearner,
    roles: ['learner', 'manager', 'admin', 'service'],
    own: ({ person, reason }: EnrollLearner, sub) => person === sub && reason?.kind === 'self',
    facts: retirement,
    decider,
    example: enrolled,
  },
  {
    type: 'ApplyRequirement',
    summary: 'Set over which days a rule requires a course of a person; sent by the workflow.',
    input: ApplyRequirement,
    roles: ['admin', 'service'],
    decider,
    example: {
      ...enrolled,
      rule: 'leadership',
      periods: [
        {
          from: '2026-03-01',
          until: null,
          ruleVersion: 1,
          cause,
          endCause: null,
          dueOn: '2026-03-31',
          recertification: null,
        },
      ],
      cause,
    },
  },
  {
    type: 'MoveDueDate',
    summary: 'Move the due date of an enrollment, or take it away.',
    input: MoveDueDate,
    roles: ['admin', 'compliance', 'service'],
    decider,
    example: { ...enrolled, dueOn: '2026-06-30', reason: 'Parental leave until May' },
  },
  {
    type: 'ExemptLearner',
    summary: 'Exempt a person from a course, with a reason and an approver.',
    input: ExemptLearner,
    roles: ['admin', 'compliance'],
    decider,
    example: { ...enrolled, reason: 'Holds the external certificate', approver: cause },
  },
  {
    type: 'WithdrawLearner',
    summary: 'Withdraw a person from a course.',
    input: WithdrawLearner,
    roles: ['admin', 'service'],
    decider,
    example: enrolled,
  },
  {
    type: 'StartEnrollment',
    summary: 'Record that a person began with a course.',
    input: StartEnrollment,
    roles: ['admin', 'service'],
    decider,
    example: enrolled,
  },
  {
    type: 'CompleteEnrollment',
    summary: 'Record that a person completed a course; certifies them where a pass is good for a time.',
    input: CompleteEnrollment,
    roles: ['admin', 'service'],
    facts: courseFacts,
    decider,
    example: { ...enrolled, result: 'Pass' },
  },
  {
    type: 'FailEnrollment',
    summary: 'Record that a person failed a course.',
    input: FailEnrollment,
    roles: ['admin', 'service'],
    decider,
    example: { ...enrolled, result: 'Fail' },
  },
  {
    type: 'RemindLearner',
    summary: 'Remind a person of what is due soon; once for each due date, and sent by the scheduler.',
    input: RemindLearner,
    roles: ['admin', 'service'],
    decider,
    example: { ...enrolled, dueOn: '2026-03-31' },
  },
  {
    type: 'MarkOverdue',
    summary: 'Record that what was due is still open; sent by the scheduler.',
    input: MarkOverdue,
    roles: ['admin', 'service'],
    decider,
    example: { ...enrolled, dueOn: '2026-03-31' },
  },
  {
    type: 'OpenRenewal',
    summary: 'Enrol a person again to renew a certificate; sent by the scheduler, and when it has expired.',
    input: OpenRenewal,
    roles: ['admin', 'service'],
    decider,
    example: { ...enrolled, expiresOn: '2026-03-31' },
  },
  {
    type: 'ExpireCertification',
    summary: 'Record that a certificate counts no longer; sent by the scheduler.',
    input: ExpireCertification,
    roles: ['admin', 'service'],
    decider,
    example: { ...enrolled, expiresOn: '2026-03-31' },
  },
  {
    type: 'SupersedeEnrollment',
    summary: 'Ask for a course again, since a new version counts instead of the completed one.',
    input: SupersedeEnrollment,
    roles: ['admin', 'compliance'],
    decider,
    example: { ...enrolled, courseVersion: 2, dueOn: '2026-06-30' },
  },
];
