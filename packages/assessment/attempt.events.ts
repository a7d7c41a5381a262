// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';
import type { Match, Question } from './assessment.events';

/** `scaled` is the score on 0..1; `raw`, `min` and `max` are points, or as the learning app gave them. */
export interface Grade {
  readonly raw: number;
  readonly min: number;
  readonly max: number;
  readonly scaled: number;
  readonly passed: boolean;
}

/** A question as one attempt shows it: ids in the order shown, no texts and no answers. */
export interface FormQuestion {
  readonly question: string;
  readonly kind: Question['kind'];
  readonly points: number;
  /** What can be chosen, ordered or matched; empty for other kinds. */
  readonly options: readonly string[];
  /** What options are matched to; empty for other kinds. */
  readonly prompts: readonly string[];
}

/**
 * What a learner answers: an option's id, several, true or false, a number, options in order, matches, or a text.
 * Null takes an answer back.
 */
export type Response = string | number | boolean | readonly string[] | readonly Match[] | null;

export interface Answer {
  readonly question: string;
  readonly response: Response;
}

/** `points` of at most `max`, to two decimals. */
export interface QuestionResult {
  readonly question: string;
  readonly points: number;
  readonly max: number;
  readonly comment: string | null;
}

interface Attempted {
  readonly attempt: string;
  readonly person: string;
  readonly course: string;
  readonly assessment: string;
}

/** A finished attempt of a learning app that grades itself. */
export type AttemptRecorded = DomainEvent<
  'AttemptRecorded',
  Attempted & {
    /** Carried over from an earlier presentation of the course. */
    readonly banked: boolean;
    /** Null until somebody grades it. */
    readonly grade: Grade | null;
  }
>;

export type AttemptStarted = DomainEvent<
  'AttemptStarted',
  Attempted & {
    /** Counted from 1 for each person and assessment. */
    readonly number: number;
    readonly assessmentVersion: number;
    /** What the form was drawn from, see `drawForm`; 0 to 2^32 - 1. */
    readonly seed: number;
    readonly form: readonly FormQuestion[];
    readonly passMark: number;
    /** ISO 8601; when the time is up. Null for no limit. */
    readonly endsAt: string | null;
    /** ISO 8601; until when an answer counts, grace included. Null for no limit. */
    readonly closesAt: string | null;
  }
>;

/** Each answer is whole and takes the place of the earlier one. */
export type AnswersRecorded = DomainEvent<'AnswersRecorded', Attempted & { readonly answers: readonly Answer[] }>;

export type AttemptSubmitted = DomainEvent<'AttemptSubmitted', Attempted>;

/** The time was up before the attempt was submitted; the answers until then count. `closedAt` is when, in ISO 8601. */
export type AttemptTimedOut = DomainEvent<'AttemptTimedOut', Attempted & { readonly closedAt: string }>;

/** Points of some questions. Each result takes the place of the earlier one. */
export type AnswersGraded = DomainEvent<
  'AnswersGraded',
  Attempted & { readonly by: 'key' | 'person'; readonly results: readonly QuestionResult[] }
>;

/** Every question has its points, or the learning app gave the score. */
export type AttemptGraded = DomainEvent<'AttemptGraded', Attempted & { readonly grade: Grade }>;

export type ScoreOverridden = DomainEvent<
  'ScoreOverridden',
  Attempted & {
    readonly grade: Grade;
    /** Null when it was not graded yet. */
    readonly previous: Grade | null;
    readonly reason: string;
    /** Person id of who approved it. */
    readonly approver: string;
  }
>;

/** The attempt counts for nothing, but still against the attempts allowed. */
export type AttemptInvalidated = DomainEvent<'AttemptInvalidated', Attempted & { readonly reason: string }>;

export type AttemptEvent =
  | AttemptRecorded
  | AttemptStarted
  | AnswersRecorded
  | AttemptSubmitted
  | AttemptTimedOut
  | AnswersGraded
  | AttemptGraded
  | ScoreOverridden
  | AttemptInvalidated;

export const attemptEventVersions: EventVersions<AttemptEvent> = {
  AttemptRecorded: { version: 1 },
  AttemptStarted: { version: 1 },
  AnswersRecorded: { version: 1 },
  AttemptSubmitted: { version: 1 },
  AttemptTimedOut: { version: 1 },
  AnswersGraded: { version: 1 },
  AttemptGraded: { version: 1 },
  ScoreOverridden: { version: 1 },
  AttemptInvalidated: { version: 1 },
};
