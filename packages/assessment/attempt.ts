import type { Command } from '../eventsourcing';
import type { AssessmentDefinition } from './assessment.events';
import type { Answer, FormQuestion, Grade, QuestionResult } from './attempt.events';
import type { ScoreData } from './score';

interface Taken {
  readonly person: string;
  readonly course: string;
  readonly assessment: string;
  readonly grade: Grade | null;
  readonly override: { readonly grade: Grade; readonly reason: string; readonly approver: string } | null;
  /** Why the attempt counts for nothing; null while it counts. */
  readonly invalidation: string | null;
}

/** Finished and graded by a learning app. */
export interface RecordedAttempt extends Taken {
  readonly status: 'recorded';
}

/** Taken here, question by question. */
export interface SatAttempt extends Taken {
  readonly status: 'started' | 'ended';
  readonly number: number;
  readonly assessmentVersion: number;
  readonly form: readonly FormQuestion[];
  readonly passMark: number;
  readonly closesAt: string | null;
  readonly answers: readonly Answer[];
  readonly results: readonly QuestionResult[];
}

export type Attempt = { readonly status: 'none' } | RecordedAttempt | SatAttempt;

/** Names an attempt that is taken here; its id follows from it. */
export interface Sitting {
  readonly person: string;
  readonly assessment: string;
  /** Counted from 1. */
  readonly number: number;
}

/** Every version of the assessment, looked up where the command enters: published versions never change. */
interface Published {
  readonly published: readonly AssessmentDefinition[];
}

export interface AttemptCommandData {
  RecordAttempt: {
    attempt: string;
    person: string;
    course: string;
    assessment: string;
    banked?: boolean;
    score?: ScoreData;
  };
  GradeAttempt: { attempt: string; score: ScoreData };
  StartAttempt: Sitting & Published & { readonly seed: number };
  RecordAnswers: Sitting & { readonly answers: readonly Answer[] };
  SubmitAttempt: Sitting & Published & { readonly answers?: readonly Answer[] };
  TimeOutAttempt: Sitting & Published;
  GradeAnswers: { attempt: string; results: readonly { question: string; points: number; comment?: string }[] };
  OverrideScore: { attempt: string; score: ScoreData; reason: string; approver: string };
  InvalidateAttempt: { attempt: string; reason: string };
}

export type AttemptCommand = {
  [Type in keyof AttemptCommandData]: Command<Type, AttemptCommandData[Type]>;
}[keyof AttemptCommandData];
