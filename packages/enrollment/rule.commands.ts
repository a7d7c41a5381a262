import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  Equals,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { type CommandDefinition, CommandInput, IsDay } from '../commands';
import type { Due, Recertification } from './enrollment.events';
import { type RuleCommandData, ruleDecider } from './rule.decider';

/** Of courses, rules, roles and org units. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const LONGEST = 3650;

class AlternativeInput {
  @ValidateIf(({ orgUnits }: AlternativeInput) => orgUnits === undefined)
  @IsArray()
  @ArrayNotEmpty()
  @Matches(ID, { each: true })
  roles?: string[];

  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @Matches(ID, { each: true })
  orgUnits?: string[];
}

class AudienceInput {
  /** Everyone; leave it out to name who. */
  @IsOptional()
  @Equals(true)
  everyone?: true;

  /** Whoever fits one of these in all that it names. */
  @ValidateIf(({ everyone, anyOf }: AudienceInput) => !everyone || anyOf !== undefined)
  @ValidateBy({
    name: 'notWithEveryone',
    validator: {
      validate: (_value, details) => (details!.object as AudienceInput).everyone === undefined,
      defaultMessage: () => '$property cannot stand beside everyone',
    },
  })
  @IsArray()
  @ArrayNotEmpty()
  @ValidateNested({ each: true })
  @Type(() => AlternativeInput)
  anyOf?: AlternativeInput[];
}

class DueInput {
  @IsIn(['in-days', 'on'])
  kind!: 'in-days' | 'on';

  @ValidateIf(({ kind }: DueInput) => kind === 'in-days')
  @IsInt()
  @Min(0)
  @Max(LONGEST)
  days!: number;

  @ValidateIf(({ kind }: DueInput) => kind === 'on')
  @IsDay()
  date!: string;
}

export class RecertificationInput implements Recertification {
  @IsInt()
  @Min(0)
  @Max(LONGEST)
  opensDaysBefore!: number;

  @IsIn(['expiry', 'completion'])
  renewsFrom!: 'expiry' | 'completion';

  @IsIn(['expiry', 'completion'])
  lateRenewsFrom!: 'expiry' | 'completion';

  @IsInt()
  @Min(0)
  @Max(LONGEST)
  alignsNewHiresWithinDays!: number;
}

class PublishAssignmentRule extends CommandInput implements Data<'PublishAssignmentRule'> {
  @Matches(ID)
  rule!: string;

  @ValidateNested()
  @Type(() => AudienceInput)
  audience!: AudienceInput;

  @IsArray()
  @ArrayNotEmpty()
  @Matches(ID, { each: true })
  courses!: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => DueInput)
  due?: DueInput & Due;

  @IsOptional()
  @ValidateNested()
  @Type(() => RecertificationInput)
  recertification?: RecertificationInput;
}

class RetireAssignmentRule extends CommandInput implements Data<'RetireAssignmentRule'> {
  @Matches(ID)
  rule!: string;
}

type Data<Type extends keyof RuleCommandData> = RuleCommandData[Type];

export const ruleCommands: readonly CommandDefinition[] = [
  {
    type: 'PublishAssignmentRule',
    summary:
      'Publish who is assigned which courses; a change makes a new version. It holds from the day of `occurredAt` on.',
    input: PublishAssignmentRule,
    roles: ['admin', 'compliance'],
    decider: ruleDecider,
    example: {
      rule: 'leadership',
      audience: { anyOf: [{ roles: ['technique-leader'] }] },
      courses: ['leadership-level-1'],
      due: { kind: 'in-days', days: 30 },
    },
  },
  {
    type: 'RetireAssignmentRule',
    summary: 'End what a rule requires.',
    input: RetireAssignmentRule,
    roles: ['admin', 'compliance'],
    decider: ruleDecider,
    example: { rule: 'leadership' },
  },
];
