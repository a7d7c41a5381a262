import { isDeepStrictEqual } from 'node:util';
import type { Command, Decider } from '../eventsourcing';
import type { RuleEvent } from './enrollment.events';

export interface AssignmentRule {
  readonly version: number;
  readonly roles: readonly string[];
  readonly courses: readonly string[];
  readonly dueInDays: number | null;
}

const initialState: AssignmentRule = { version: 0, roles: [], courses: [], dueInDays: null };

export interface RuleCommandData {
  PublishAssignmentRule: { rule: string; roles: string[]; courses: string[]; dueInDays?: number };
}

export type RuleCommand = Command<'PublishAssignmentRule', RuleCommandData['PublishAssignmentRule']>;

function decide({ data }: RuleCommand, state: AssignmentRule): readonly RuleEvent[] {
  const { rule, dueInDays = null } = data;
  const roles = [...new Set(data.roles)].sort();
  const courses = [...new Set(data.courses)].sort();
  const next: AssignmentRule = { version: state.version, roles, courses, dueInDays };
  if (state.version > 0 && isDeepStrictEqual(next, state)) return [];
  return [{ type: 'AssignmentRulePublished', data: { rule, ...next, version: state.version + 1 } }];
}

function evolve(_state: AssignmentRule, event: RuleEvent): AssignmentRule {
  const { version, roles, courses, dueInDays } = event.data;
  return { version, roles, courses, dueInDays };
}

export const ruleDecider: Decider<AssignmentRule, RuleCommand, RuleEvent> = {
  category: 'rule',
  initialState,
  id: ({ data }) => data.rule,
  decide,
  evolve,
};
