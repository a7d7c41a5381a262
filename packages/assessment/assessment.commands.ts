import { plainToInstance, Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { type CommandDefinition, CommandInput, IsMoment, IsQuantity } from '../commands';
import { assessmentDecider } from './assessment.decider';
import type { Credit, Feedback, Match, Option, Question } from './assessment.events';
import { attemptCommands } from './attempt.commands';
import type { AssessmentDraft, QuestionDraft } from './definition';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MOST_QUESTIONS = 1000;
/** As many as a response may name. */
const MOST_OPTIONS = 200;

class OptionInput implements Option {
  @Matches(ID)
  id!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(2000)
  text!: string;
}

class MatchInput implements Match {
  @Matches(ID)
  prompt!: string;

  @Matches(ID)
  option!: string;
}

class QuestionInput {
  @Matches(ID)
  id!: string;

  @IsIn([
    'single-choice',
    'multiple-choice',
    'true-false',
    'numeric',
    'ordering',
    'matching',
    'short-text',
    'free-text',
  ] satisfies Question['kind'][])
  kind!: Question['kind'];

  @IsString()
  @IsNotEmpty()
  @MaxLength(10_000)
  text!: string;

  @IsInt()
  @Min(1)
  @Max(1000)
  points!: number;

  /** `all-or-nothing` when left out. */
  @IsOptional()
  @IsIn(['all-or-nothing', 'proportional'] satisfies Credit[])
  credit?: Credit;

  /** `main` when left out. */
  @IsOptional()
  @Matches(ID)
  pool?: string;

  /** Shown with the answer. */
  @IsOptional()
  @IsString()
  @MaxLength(10_000)
  explanation?: string;
}

class QuestionWithOptionsInput extends QuestionInput {
  @IsArray()
  @ArrayMaxSize(MOST_OPTIONS)
  @ValidateNested({ each: true })
  @Type(() => OptionInput)
  options!: OptionInput[];
}

class SingleChoiceInput extends QuestionWithOptionsInput {
  /** Id of the right option. */
  @Matches(ID)
  key!: string;
}

class MultipleChoiceInput extends QuestionWithOptionsInput {
  /** Ids of all right options. */
  @IsArray()
  @Matches(ID, { each: true })
  key!: string[];
}

class OrderingInput extends QuestionWithOptionsInput {
  /** Ids of all options in the right order. */
  @IsArray()
  @Matches(ID, { each: true })
  key!: string[];
}

class MatchingInput extends QuestionWithOptionsInput {
  @IsArray()
  @ArrayMaxSize(MOST_OPTIONS)
  @ValidateNested({ each: true })
  @Type(() => OptionInput)
  prompts!: OptionInput[];

  /** One per prompt. */
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => MatchInput)
  key!: MatchInput[];
}

class TrueFalseInput extends QuestionInput {
  @IsBoolean()
  key!: boolean;
}

class NumericKeyInput {
  @IsQuantity()
  value!: number;

  /** Right within value ± tolerance, both ends included. */
  @IsQuantity()
  @Min(0)
  tolerance!: number;
}

class NumericInput extends QuestionInput {
  @IsDefined()
  @ValidateNested()
  @Type(() => NumericKeyInput)
  key!: NumericKeyInput;
}

class ShortTextKeyInput {
  @IsArray()
  @ArrayMaxSize(MOST_OPTIONS)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  accepted!: string[];

  /** False when left out. */
  @IsOptional()
  @IsBoolean()
  caseSensitive?: boolean;
}

class ShortTextInput extends QuestionInput {
  @IsDefined()
  @ValidateNested()
  @Type(() => ShortTextKeyInput)
  key!: ShortTextKeyInput;
}

class FreeTextInput extends QuestionInput {}

const INPUTS = {
  'single-choice': SingleChoiceInput,
  'multiple-choice': MultipleChoiceInput,
  'true-false': TrueFalseInput,
  numeric: NumericInput,
  ordering: OrderingInput,
  matching: MatchingInput,
  'short-text': ShortTextInput,
  'free-text': FreeTextInput,
} satisfies Record<Question['kind'], new () => QuestionInput>;

/** The input class is chosen by hand: the library's own choice by a discriminator throws where an element is no object. */
function questionInput(question: unknown): unknown {
  const kind = String((question as Partial<Question> | null)?.kind);
  return plainToInstance(Object.hasOwn(INPUTS, kind) ? INPUTS[kind as Question['kind']] : QuestionInput, question);
}

class PoolDrawInput {
  /** `main` when left out. */
  @IsOptional()
  @Matches(ID)
  pool?: string;

  @IsInt()
  @Min(1)
  count!: number;
}

class PublishAssessment extends CommandInput implements AssessmentDraft {
  @Matches(ID)
  assessment!: string;

  @Matches(ID)
  course!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  title!: string;

  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_QUESTIONS)
  @ValidateNested({ each: true })
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(questionInput) : value))
  @JSONSchema({
    type: 'array',
    items: { oneOf: Object.values(INPUTS).map(({ name }) => ({ $ref: `#/components/schemas/${name}` })) },
  })
  questions!: (QuestionInput & QuestionDraft)[];

  /** Pools of which a part is drawn; the others are used whole. */
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PoolDrawInput)
  draw?: PoolDrawInput[];

  @IsOptional()
  @IsBoolean()
  shuffleQuestions?: boolean;

  @IsOptional()
  @IsBoolean()
  shuffleOptions?: boolean;

  @IsOptional()
  @IsInt()
  @Min(1)
  timeLimitSeconds?: number;

  /** How long after the limit an answer still counts; 0 when left out. */
  @IsOptional()
  @IsInt()
  @Min(0)
  graceSeconds?: number;

  /** Any number when left out. */
  @IsOptional()
  @IsInt()
  @Min(1)
  attemptsAllowed?: number;

  /** Share of the points, 0..1, from which an attempt counts as passed. */
  @IsQuantity()
  @Min(0)
  @Max(1)
  passMark!: number;

  @IsIn(['none', 'score', 'answers-after-submit', 'answers-after-close'] satisfies Feedback[])
  feedback!: Feedback;

  /** When the last attempt ends. */
  @IsOptional()
  @IsMoment()
  closesAt?: string;
}

export const assessmentCommands: readonly CommandDefinition[] = [
  {
    type: 'PublishAssessment',
    summary: 'Publish an assessment, or a new version of it.',
    input: PublishAssessment,
    roles: ['admin', 'service'],
    decider: assessmentDecider,
    example: {
      assessment: 'first-aid-test',
      course: 'first-aid',
      title: 'First aid',
      questions: [
        {
          id: 'number',
          kind: 'single-choice',
          text: 'Which number do you call?',
          points: 1,
          options: [
            { id: '112', text: '112' },
            { id: '211', text: '211' },
          ],
          key: '112',
        },
        {
          id: 'rate',
          kind: 'numeric',
          text: 'Compressions per minute?',
          points: 2,
          key: { value: 110, tolerance: 10 },
        },
        { id: 'story', kind: 'free-text', text: 'Tell of an accident.', points: 6 },
      ],
      shuffleQuestions: true,
      timeLimitSeconds: 600,
      graceSeconds: 30,
      attemptsAllowed: 2,
      passMark: 0.7,
      feedback: 'answers-after-submit',
    },
  },
  ...attemptCommands,
];
