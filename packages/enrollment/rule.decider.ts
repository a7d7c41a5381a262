import { isDeepStrictEqual } from 'node:util';
import { type Command, dayOf, type Decider, DomainError, unreachable } from '../eventsourcing';
import type { Audience, Due, Recertification, RuleEvent } from './enrollment.events';

interface RuleContent {
  readonly audience: Audience;
  readonly courses: readonly string[];
  readonly due: Due | null;
  readonly recertification: Recertification | null;
}

export interface AssignmentRule {
  /** 0 before the first publication. */
  readonly version: number;
  /** Null before the first publication, and while it is retired. */
  readonly content: RuleContent | null;
  /** ISO 8601 date from which the newest version, or the retirement, holds. */
  readonly effectiveOn: string;
}

const initialState: AssignmentRule = { version: 0, content: null, effectiveOn: '' };

export interface RuleCommandData {
  PublishAssignmentRule: {
    rule: string;
    audience: { everyone?: true; anyOf?: { roles?: string[]; orgUnits?: string[] }[] };
    courses: string[];
    due?: Due;
    recertification?: Recertification;
  };
  RetireAssignmentRule: { rule: string };
}

export type RuleCommand = {
  [Type in keyof RuleCommandData]: Command<Type, RuleCommandData[Type]>;
}[keyof RuleCommandData];

function decide(command: RuleCommand, state: AssignmentRule): readonly RuleEvent[] {
  const { rule } = command.data;
  const effectiveOn = dayOf(command.at);
  switch (command.type) {
    case 'PublishAssignmentRule': {
      const content = contentOf(command.data);
      if (isDeepStrictEqual(content, state.content)) return [];
      refuseEarlier(rule, effectiveOn, state);
      return [{ type: 'AssignmentRulePublished', data: { rule, version: state.version + 1, ...content, effectiveOn } }];
    }
    case 'RetireAssignmentRule':
      if (state.version === 0) throw new DomainError('rule-not-published', `The rule ${rule} was never published.`);
      if (!state.content) return [];
      refuseEarlier(rule, effectiveOn, state);
      return [{ type: 'AssignmentRuleRetired', data: { rule, version: state.version, effectiveOn } }];
    default:
      return unreachable(command);
  }
}

function contentOf({ audience, courses, due, recertification }: RuleCommandData['PublishAssignmentRule']): RuleContent {
  return {
    audience: audienceOf(audience),
    courses: sorted(courses),
    due: due ?? null,
    recertification: recertification ?? null,
  };
}

function audienceOf({ anyOf }: RuleCommandData['PublishAssignmentRule']['audience']): Audience {
  if (!anyOf) return { everyone: true };
  return {
    anyOf: anyOf.map(({ roles, orgUnits }) => ({
      roles: roles ? sorted(roles) : null,
      orgUnits: orgUnits ? sorted(orgUnits) : null,
    })),
  };
}

function sorted(list: readonly string[]): readonly string[] {
  return [...new Set(list)].sort();
}

function refuseEarlier(rule: string, effectiveOn: string, state: AssignmentRule): void {
  if (effectiveOn >= state.effectiveOn) return;
  throw new DomainError(
    'rule-effective-earlier',
    `What is known of the rule ${rule} holds from ${state.effectiveOn} on: nothing of it can change before that day.`,
  );
}

function evolve(state: AssignmentRule, event: RuleEvent): AssignmentRule {
  switch (event.type) {
    case 'AssignmentRulePublished': {
      const { version, audience, courses, due, recertification, effectiveOn } = event.data;
      return { version, content: { audience, courses, due, recertification }, effectiveOn };
    }
    case 'AssignmentRuleRetired':
      return { ...state, content: null, effectiveOn: event.data.effectiveOn };
    default:
      return unreachable(event);
  }
}

export const ruleDecider: Decider<AssignmentRule, RuleCommand, RuleEvent> = {
  category: 'rule',
  initialState,
  id: ({ data }) => data.rule,
  decide,
  evolve,
};
