import { isDeepStrictEqual } from 'node:util';
import type { Command, Decider } from '../eventsourcing';
import type { AssessmentDefinition, AssessmentEvent } from './assessment.events';
import { type AssessmentDraft, definitionOf } from './definition';

export interface Assessment {
  /** Every version, oldest first: an attempt goes on with the version that it began with. */
  readonly published: readonly AssessmentDefinition[];
}

const initialState: Assessment = { published: [] };

export interface AssessmentCommandData {
  PublishAssessment: AssessmentDraft;
}

export type AssessmentCommand = Command<'PublishAssessment', AssessmentCommandData['PublishAssessment']>;

function decide({ data }: AssessmentCommand, { published }: Assessment): readonly AssessmentEvent[] {
  const newest = published.at(-1);
  if (newest && isDeepStrictEqual(definitionOf(data, newest.version), newest)) return [];
  return [{ type: 'AssessmentPublished', data: definitionOf(data, published.length + 1) }];
}

function evolve({ published }: Assessment, { data }: AssessmentEvent): Assessment {
  return { published: [...published, data] };
}

export const assessmentDecider: Decider<Assessment, AssessmentCommand, AssessmentEvent> = {
  category: 'assessment',
  initialState,
  id: ({ data }) => data.assessment,
  decide,
  evolve,
};
