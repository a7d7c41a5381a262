import { Type } from 'class-transformer';
import { IsBoolean, IsDefined, IsOptional, IsUUID, Matches, ValidateNested } from 'class-validator';
import { type CommandDefinition, CommandInput, IsQuantity } from '../commands';
import { type AttemptCommandData, attemptDecider } from './attempt.decider';
import type { ScoreData } from './score';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

class ScoreInput implements ScoreData {
  @IsQuantity()
  raw!: number;

  /** 0 when left out. */
  @IsOptional()
  @IsQuantity()
  min?: number;

  @IsQuantity()
  max!: number;

  /** Raw score from which the attempt counts as passed. */
  @IsQuantity()
  passMark!: number;
}

class RecordAttempt extends CommandInput implements Data<'RecordAttempt'> {
  @IsUUID()
  attempt!: string;

  @IsUUID()
  person!: string;

  @Matches(ID)
  course!: string;

  @Matches(ID)
  assessment!: string;

  @IsOptional()
  @IsBoolean()
  banked?: boolean;

  /** Left out when the attempt is not graded yet. */
  @IsOptional()
  @ValidateNested()
  @Type(() => ScoreInput)
  score?: ScoreInput;
}

class GradeAttempt extends CommandInput implements Data<'GradeAttempt'> {
  @IsUUID()
  attempt!: string;

  @IsDefined()
  @ValidateNested()
  @Type(() => ScoreInput)
  score!: ScoreInput;
}

type Data<Type extends keyof AttemptCommandData> = AttemptCommandData[Type];

const attempt = '9a1d7a44-3c55-5d0b-8f2e-2f6f0e5f7a10';
const score = { raw: 78, max: 100, passMark: 40 };

export const assessmentCommands: readonly CommandDefinition[] = [
  {
    type: 'RecordAttempt',
    summary: 'Record a finished attempt, graded or not yet graded.',
    input: RecordAttempt,
    roles: ['admin', 'service'],
    decider: attemptDecider,
    example: {
      attempt,
      person: '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11',
      course: 'AAA-2013J',
      assessment: '1752',
      score,
    },
  },
  {
    type: 'GradeAttempt',
    summary: 'Grade an attempt that was recorded without a score.',
    input: GradeAttempt,
    roles: ['admin', 'service'],
    decider: attemptDecider,
    example: { attempt, score },
  },
];
