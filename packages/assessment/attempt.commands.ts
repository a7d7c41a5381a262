import { randomInt } from 'node:crypto';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsDefined,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { type CommandDefinition, CommandInput, IsMoment, IsQuantity, type LookUp } from '../commands';
import { assessmentDecider } from './assessment.decider';
import type { AttemptCommandData, Sitting } from './attempt';
import { attemptDecider, attemptIdOf } from './attempt.decider';
import type { Answer, Response } from './attempt.events';
import { isResponse } from './response';
import type { ScoreData } from './score';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MOST_ANSWERS = 500;

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

/** No `occurredAt`: the clock of an attempt that is taken here is the server's. */
abstract class SittingInput implements Sitting {
  @IsUUID()
  person!: string;

  @Matches(ID)
  assessment!: string;

  /** 1 for the first attempt, 2 for the second, and so on. */
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  number!: number;
}

class AnswerInput implements Answer {
  @Matches(ID)
  question!: string;

  /** An option's id, several, true or false, a number, options in order, matches, or a text; null takes an answer back. */
  @ValidateBy({
    name: 'isResponse',
    validator: { validate: isResponse, defaultMessage: () => '$property must be an answer to a question' },
  })
  @JSONSchema({
    oneOf: [
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'array', items: { type: 'string' } },
      {
        type: 'array',
        items: { type: 'object', properties: { prompt: { type: 'string' }, option: { type: 'string' } } },
      },
    ],
    nullable: true,
  })
  response!: Response;
}

class StartAttempt extends SittingInput {}

class RecordAnswers extends SittingInput implements Data<'RecordAnswers'> {
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_ANSWERS)
  @ValidateNested({ each: true })
  @Type(() => AnswerInput)
  answers!: AnswerInput[];
}

class SubmitAttempt extends SittingInput implements Omit<Data<'SubmitAttempt'>, 'published'> {
  /** Last answers, recorded first. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_ANSWERS)
  @ValidateNested({ each: true })
  @Type(() => AnswerInput)
  answers?: AnswerInput[];
}

class TimeOutAttempt extends SittingInput {
  /** ISO 8601; when it was found to be over. Only services send this command, so their clock may count. */
  @IsOptional()
  @IsMoment()
  occurredAt?: string;
}

class ResultInput {
  @Matches(ID)
  question!: string;

  @IsQuantity()
  @Min(0)
  points!: number;

  /** Shown to the learner with the answers. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  comment?: string;
}

class GradeAnswers extends CommandInput implements Data<'GradeAnswers'> {
  @IsUUID()
  attempt!: string;

  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_ANSWERS)
  @ValidateNested({ each: true })
  @Type(() => ResultInput)
  results!: ResultInput[];
}

abstract class CorrectionInput extends CommandInput {
  @IsUUID()
  attempt!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason!: string;
}

class OverrideScore extends CorrectionInput implements Data<'OverrideScore'> {
  @IsDefined()
  @ValidateNested()
  @Type(() => ScoreInput)
  score!: ScoreInput;

  /** Who approved it; not the learner. */
  @IsUUID()
  approver!: string;
}

class InvalidateAttempt extends CorrectionInput implements Data<'InvalidateAttempt'> {}

type Data<Type extends keyof AttemptCommandData> = AttemptCommandData[Type];

async function published({ assessment }: Sitting, lookUp: LookUp) {
  return { published: (await lookUp(assessmentDecider, assessment)).published };
}

async function publishedAndSeed(sitting: Sitting, lookUp: LookUp) {
  return { ...(await published(sitting, lookUp)), seed: randomInt(2 ** 32) };
}

const isOwn = ({ person }: Sitting, sub: string): boolean => person === sub;

const attempt = '9a1d7a44-3c55-5d0b-8f2e-2f6f0e5f7a10';
const score = { raw: 78, max: 100, passMark: 40 };
const sitting = { person: '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11', assessment: 'first-aid-test', number: 1 };
const answers = [{ question: 'number', response: '112' }];
const decider = attemptDecider;

export const attemptCommands: readonly CommandDefinition[] = [
  {
    type: 'RecordAttempt',
    summary: 'Record a finished attempt, graded or not yet graded.',
    input: RecordAttempt,
    roles: ['admin', 'service'],
    decider,
    example: { attempt, person: sitting.person, course: 'AAA-2013J', assessment: '1752', score },
  },
  {
    type: 'GradeAttempt',
    summary: 'Grade an attempt that was recorded without a score.',
    input: GradeAttempt,
    roles: ['admin', 'service'],
    decider,
    example: { attempt, score },
  },
  {
    type: 'StartAttempt',
    summary: 'Start an attempt: draw its form and start its clock.',
    input: StartAttempt,
    roles: ['learner', 'manager', 'admin', 'service'],
    own: isOwn,
    facts: publishedAndSeed,
    decider,
    example: sitting,
  },
  {
    type: 'RecordAnswers',
    summary: 'Record answers of an attempt, or change them, while its time lasts.',
    input: RecordAnswers,
    roles: ['learner', 'manager', 'admin', 'service'],
    own: isOwn,
    decider,
    example: { ...sitting, answers },
  },
  {
    type: 'SubmitAttempt',
    summary: 'Submit an attempt, with its last answers if need be, and grade what needs no person.',
    input: SubmitAttempt,
    roles: ['learner', 'manager', 'admin', 'service'],
    own: isOwn,
    facts: published,
    decider,
    example: { ...sitting, answers },
  },
  {
    type: 'TimeOutAttempt',
    summary: 'End an attempt whose time is over, with the answers given in time.',
    input: TimeOutAttempt,
    roles: ['admin', 'service'],
    facts: published,
    decider,
    example: sitting,
  },
  {
    type: 'GradeAnswers',
    summary: 'Grade answers by hand; with the last of them the attempt is graded.',
    input: GradeAnswers,
    roles: ['admin', 'service'],
    decider,
    example: { attempt: attemptIdOf(sitting), results: [{ question: 'story', points: 4.5, comment: 'And then?' }] },
  },
  {
    type: 'OverrideScore',
    summary: 'Override the score of an attempt, with a reason and who approved it.',
    input: OverrideScore,
    roles: ['admin', 'compliance'],
    decider,
    example: { attempt, score, reason: 'Question 3 was ambiguous.', approver: '3d2f8c11-52a5-5f0e-8a43-6a1f0b0e8b6a' },
  },
  {
    type: 'InvalidateAttempt',
    summary: 'Let an attempt count for nothing.',
    input: InvalidateAttempt,
    roles: ['admin', 'compliance'],
    decider,
    example: { attempt, reason: 'Taken by somebody else.' },
  },
];
