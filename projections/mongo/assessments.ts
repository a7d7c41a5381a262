import type { Db } from 'mongodb';
import type { AssessmentDefinition, AssessmentEvent } from '../../packages/assessment/assessment.events';
import type { Document, Projection } from '../../packages/eventsourcing';
import { type Answer, findOne } from './collection';

/** Holds answer keys: for the program to show attempts with, never to be handed out. */
export interface AssessmentDocument extends Document {
  /** Oldest first, so that version n stands at n - 1. */
  readonly versions: readonly AssessmentDefinition[];
}

/** Each assessment with every version of it. */
export const assessments: Projection<AssessmentDocument, AssessmentEvent> = {
  name: 'assessments',
  version: 1,
  handles: ['AssessmentPublished'],
  key: ({ data, metadata }) => idOf(metadata.tenant, data.assessment),
  evolve: (document, { data, metadata: { tenant } }) => {
    const others = (document?.versions ?? []).filter(({ version }) => version !== data.version);
    return { _id: idOf(tenant, data.assessment), tenant, versions: [...others, data] };
  },
  indexes: [],
};

/** Ids of assessments are given, and unique only within a tenant. */
function idOf(tenant: string, assessment: string): string {
  return `${tenant}.${assessment}`;
}

export function findAssessment(
  db: Db,
  tenant: string,
  assessment: string,
): Promise<Answer<AssessmentDocument> | undefined> {
  return findOne(db, assessments, tenant, idOf(tenant, assessment));
}
