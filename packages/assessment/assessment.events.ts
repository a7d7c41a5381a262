// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** Something to choose, order or match. Learners see the id, so it must not give the answer away. */
export interface Option {
  readonly id: string;
  readonly text: string;
}

/** A prompt of a matching question and the option that belongs to it. */
export interface Match {
  readonly prompt: string;
  readonly option: string;
}

/** Whether an answer that is right in part earns part of the points. */
export type Credit = 'all-or-nothing' | 'proportional';

/** What every question has. The answer stands under `key` and nowhere else, so that a view leaves it out by leaving out one field. */
interface Asked {
  readonly id: string;
  readonly text: string;
  /** Whole number. */
  readonly points: number;
  readonly credit: Credit;
  /** The part of the bank that it is drawn from. */
  readonly pool: string;
  /** Shown with the answer, when answers are shown. */
  readonly explanation: string | null;
}

export interface SingleChoice extends Asked {
  readonly kind: 'single-choice';
  readonly options: readonly Option[];
  /** Id of the right option. */
  readonly key: string;
}

export interface MultipleChoice extends Asked {
  readonly kind: 'multiple-choice';
  readonly options: readonly Option[];
  /** Ids of all right options. */
  readonly key: readonly string[];
}

export interface TrueFalse extends Asked {
  readonly kind: 'true-false';
  readonly key: boolean;
}

export interface Numeric extends Asked {
  readonly kind: 'numeric';
  /** Right within `value` ± `tolerance`, both ends included. */
  readonly key: { readonly value: number; readonly tolerance: number };
}

export interface Ordering extends Asked {
  readonly kind: 'ordering';
  readonly options: readonly Option[];
  /** Ids of all options in the right order. */
  readonly key: readonly string[];
}

export interface Matching extends Asked {
  readonly kind: 'matching';
  readonly prompts: readonly Option[];
  readonly options: readonly Option[];
  /** One per prompt. An option may belong to several prompts or to none. */
  readonly key: readonly Match[];
}

export interface ShortText extends Asked {
  readonly kind: 'short-text';
  readonly key: { readonly accepted: readonly string[]; readonly caseSensitive: boolean };
}

/** Graded by a person. */
export interface FreeText extends Asked {
  readonly kind: 'free-text';
}

export type Question = SingleChoice | MultipleChoice | TrueFalse | Numeric | Ordering | Matching | ShortText | FreeText;

/** What a learner is told after the attempt, and when. */
export type Feedback = 'none' | 'score' | 'answers-after-submit' | 'answers-after-close';

/** How many questions of a pool an attempt gets. */
export interface PoolDraw {
  readonly pool: string;
  readonly count: number;
}

/** One version of an assessment, whole. A published version never changes. */
export interface AssessmentDefinition {
  readonly assessment: string;
  /** Counted from 1. */
  readonly version: number;
  readonly course: string;
  readonly title: string;
  readonly questions: readonly Question[];
  /** Every pool of the bank once, in the order in which the bank first names it. */
  readonly draw: readonly PoolDraw[];
  readonly shuffleQuestions: boolean;
  readonly shuffleOptions: boolean;
  /** Null for no limit. */
  readonly timeLimitSeconds: number | null;
  /** How long after the limit an answer still counts. */
  readonly graceSeconds: number;
  /** Null for any number. */
  readonly attemptsAllowed: number | null;
  /** Share of the points, 0..1, from which an attempt counts as passed. */
  readonly passMark: number;
  readonly feedback: Feedback;
  /** ISO 8601; when the last attempt ends, whenever it began. Null for never. */
  readonly closesAt: string | null;
}

export type AssessmentPublished = DomainEvent<'AssessmentPublished', AssessmentDefinition>;

export type AssessmentEvent = AssessmentPublished;

export const assessmentEventVersions: EventVersions<AssessmentEvent> = {
  AssessmentPublished: { version: 1 },
};
