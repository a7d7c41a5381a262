import type { Db } from 'mongodb';
import type { EnrollmentEvent, EnrollmentReason } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection } from '../../packages/eventsourcing';
import { type Answer, findOne, findPage, given, type Page } from './collection';

export interface EnrollmentDocument extends Document {
  readonly person: string;
  readonly course: string;
  readonly status: 'open' | 'withdrawn' | 'completed' | 'failed';
  readonly reason: EnrollmentReason | null;
  readonly enrolledAt: string | null;
  readonly dueOn: string | null;
  readonly endedAt: string | null;
  readonly result: string | null;
}

/** Each enrollment as it stands now. */
export const enrollments: Projection<EnrollmentDocument, EnrollmentEvent> = {
  name: 'enrollments',
  version: 1,
  handles: ['LearnerEnrolled', 'LearnerWithdrawn', 'EnrollmentCompleted', 'EnrollmentFailed'],
  key: ({ data }) => data.enrollment,
  evolve: (document, event) => {
    const { occurredAt } = event.metadata;
    if (event.type === 'LearnerEnrolled') {
      const { enrollment, person, course, reason, dueOn } = event.data;
      return {
        _id: enrollment,
        tenant: event.metadata.tenant,
        person,
        course,
        status: 'open',
        reason,
        enrolledAt: occurredAt,
        dueOn,
        endedAt: null,
        result: null,
      };
    }
    if (!document) throw new Error(`${event.type} for an enrollment that never began`);
    switch (event.type) {
      case 'LearnerWithdrawn':
        return { ...document, status: 'withdrawn', endedAt: occurredAt };
      case 'EnrollmentCompleted':
        return { ...document, status: 'completed', endedAt: occurredAt, result: event.data.result };
      case 'EnrollmentFailed':
        return { ...document, status: 'failed', endedAt: occurredAt, result: event.data.result };
    }
  },
  indexes: [{ key: { tenant: 1, person: 1 } }, { key: { tenant: 1, course: 1 } }],
};

export function findEnrollment(db: Db, tenant: string, id: string): Promise<Answer<EnrollmentDocument> | undefined> {
  return findOne(db, enrollments, tenant, id);
}

export interface EnrollmentFilter {
  readonly person?: string | undefined;
  readonly course?: string | undefined;
}

export function findEnrollments(
  db: Db,
  tenant: string,
  filter: EnrollmentFilter,
  page: Page,
): Promise<Answer<EnrollmentDocument>[]> {
  return findPage(db, enrollments, given({ tenant, ...filter }), page);
}
