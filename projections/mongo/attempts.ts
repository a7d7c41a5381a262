import type { Db } from 'mongodb';
import type { AttemptEvent, Grade } from '../../packages/assessment/attempt.events';
import type { Document, Projection } from '../../packages/eventsourcing';
import { type Answer, findPage, given, type Page } from './collection';

export interface AttemptDocument extends Document {
  readonly person: string;
  readonly course: string;
  readonly assessment: string;
  readonly banked: boolean;
  readonly submittedAt: string;
  readonly grade: Grade | null;
  readonly gradedAt: string | null;
}

/** Each attempt with its grade. */
export const attempts: Projection<AttemptDocument, AttemptEvent> = {
  name: 'attempts',
  version: 1,
  handles: ['AttemptRecorded', 'AttemptGraded'],
  key: ({ data }) => data.attempt,
  evolve: (document, event) => {
    const { occurredAt } = event.metadata;
    switch (event.type) {
      case 'AttemptRecorded': {
        const { attempt, person, course, assessment, banked, grade } = event.data;
        return {
          _id: attempt,
          tenant: event.metadata.tenant,
          person,
          course,
          assessment,
          banked,
          submittedAt: occurredAt,
          grade,
          gradedAt: grade ? occurredAt : null,
        };
      }
      case 'AttemptGraded':
        if (!document) throw new Error('AttemptGraded for an attempt that was never recorded');
        return { ...document, grade: event.data.grade, gradedAt: occurredAt };
    }
  },
  indexes: [{ key: { tenant: 1, person: 1 } }, { key: { tenant: 1, course: 1 } }],
};

export interface AttemptFilter {
  readonly person?: string | undefined;
  readonly course?: string | undefined;
}

export function findAttempts(
  db: Db,
  tenant: string,
  filter: AttemptFilter,
  page: Page,
): Promise<Answer<AttemptDocument>[]> {
  return findPage(db, attempts, given({ tenant, ...filter }), page);
}
