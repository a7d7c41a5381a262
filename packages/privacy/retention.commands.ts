import { IsIn, IsNotEmpty, IsString, MaxLength } from 'class-validator';
import { type CommandDefinition, CommandInput, IsPeriod, type Role } from '../commands';
import { type RetentionCommandData, retentionDecider } from './retention.decider';
import {
  RETENTION_CATEGORIES,
  RETENTION_STARTS,
  type RetentionCategory,
  type RetentionStart,
} from './retention.events';

type Data<Type extends keyof RetentionCommandData> = Omit<RetentionCommandData[Type], 'by'>;

class WithdrawRetentionRule extends CommandInput implements Data<'WithdrawRetentionRule'> {
  @IsIn(RETENTION_CATEGORIES)
  category!: RetentionCategory;

  @IsString()
  @IsNotEmpty()
  @MaxLength(2_000)
  reason!: string;
}

class SetRetentionRule extends WithdrawRetentionRule implements Data<'SetRetentionRule'> {
  @IsPeriod()
  keepFor!: string;

  @IsIn(RETENTION_STARTS)
  from!: RetentionStart;
}

const roles: readonly Role[] = ['compliance'];
const common = { roles, decider: retentionDecider, signed: true } as const;

export const retentionCommands: readonly CommandDefinition[] = [
  {
    type: 'SetRetentionRule',
    summary: 'Say how long the events of a category need the name of the person whom they are about.',
    input: SetRetentionRule,
    ...common,
    example: { category: 'enrollment', keepFor: 'P6Y', from: 'departure', reason: 'Records policy 4.2.' },
  },
  {
    type: 'WithdrawRetentionRule',
    summary: 'Withdraw the rule of a category: its events need the name without end.',
    input: WithdrawRetentionRule,
    ...common,
    example: { category: 'enrollment', reason: 'The policy is under review.' },
  },
];
