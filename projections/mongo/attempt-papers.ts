import type { Db } from 'mongodb';
import type {
  Answer as GivenAnswer,
  AttemptEvent,
  AttemptRecorded,
  AttemptStarted,
  FormQuestion,
  Grade,
  QuestionResult,
} from '../../packages/assessment/attempt.events';
import { type Document, type Projection, type Recorded, unreachable } from '../../packages/eventsourcing';
import { type Answer, findOne } from './collection';

export interface AttemptPaperDocument extends Document {
  readonly person: string;
  readonly assessment: string;
  readonly assessmentVersion: number;
  readonly status: 'started' | 'ended';
  readonly form: readonly FormQuestion[];
  readonly answers: readonly GivenAnswer[];
  readonly results: readonly QuestionResult[];
  readonly grade: Grade | null;
  readonly invalidation: string | null;
  readonly closesAt: string | null;
}

type PaperEvent = Exclude<AttemptEvent, AttemptRecorded>;

/** What stands on the paper of each attempt that is taken here; those of learning apps have none. */
export const attemptPapers: Projection<AttemptPaperDocument, PaperEvent> = {
  name: 'attempt-papers',
  version: 1,
  handles: [
    'AttemptStarted',
    'AnswersRecorded',
    'AttemptSubmitted',
    'AttemptTimedOut',
    'AnswersGraded',
    'AttemptGraded',
    'ScoreOverridden',
    'AttemptInvalidated',
  ],
  key: ({ data }) => data.attempt,
  evolve: (document, event) => {
    if (event.type === 'AttemptStarted') {
      const { attempt, person, assessment, assessmentVersion, form, closesAt } = event.data;
      const taken = { _id: attempt, tenant: event.metadata.tenant, person, assessment, assessmentVersion };
      const blank = { answers: [], results: [], grade: null, invalidation: null };
      return { ...taken, status: 'started', form, closesAt, ...blank };
    }
    return document ? goOn(document, event) : null;
  },
  indexes: [],
};

function goOn(
  document: AttemptPaperDocument,
  event: Recorded<Exclude<PaperEvent, AttemptStarted>>,
): AttemptPaperDocument {
  switch (event.type) {
    case 'AnswersRecorded':
      return { ...document, answers: replaced(document.answers, event.data.answers) };
    case 'AttemptSubmitted':
    case 'AttemptTimedOut':
      return { ...document, status: 'ended' };
    case 'AnswersGraded':
      return { ...document, results: replaced(document.results, event.data.results) };
    case 'AttemptGraded':
    case 'ScoreOverridden':
      return { ...document, grade: event.data.grade };
    case 'AttemptInvalidated':
      return { ...document, invalidation: event.data.reason };
    default:
      return unreachable(event);
  }
}

function replaced<T extends { readonly question: string }>(before: readonly T[], newer: readonly T[]): readonly T[] {
  return [...before.filter((old) => !newer.some(({ question }) => question === old.question)), ...newer];
}

export function findAttemptPaper(
  db: Db,
  tenant: string,
  attempt: string,
): Promise<Answer<AttemptPaperDocument> | undefined> {
  return findOne(db, attemptPapers, tenant, attempt);
}
