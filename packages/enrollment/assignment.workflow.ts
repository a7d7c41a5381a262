import { isDeepStrictEqual } from 'node:util';
import {
  type CommandRequest,
  type DomainEvent,
  type Reaction,
  type Recorded,
  withDated,
  type Workflow,
} from '../eventsourcing';
import type { RuleEvent } from './enrollment.events';
import { type Fact, type PersonHistory, type RuleVersion, requirementsOf } from './requirements';

/** What this workflow reads of the people context's events: contexts meet through events, not through each other's code. */
export type PersonFact =
  | DomainEvent<
      'PersonHired' | 'PersonRehired',
      { readonly person: string; readonly role: string; readonly orgUnit: string; readonly effectiveOn: string }
    >
  | DomainEvent<'RoleChanged', { readonly person: string; readonly role: string; readonly effectiveOn: string }>
  | DomainEvent<
      'PersonTransferred',
      { readonly person: string; readonly orgUnit: string; readonly effectiveOn: string }
    >
  | DomainEvent<'PersonTerminated', { readonly person: string; readonly effectiveOn: string }>;

export type AssignmentEvent = PersonFact | RuleEvent;

/** Every rule with all its versions. */
export type Rules = Readonly<Record<string, readonly Fact<RuleVersion>[]>>;

/** Gives the commands for what one rule requires of a person now and did not before, or the other way round. */
export function requirementChanges(
  event: Recorded<AssignmentEvent>,
  rule: string,
  before: { readonly rules: Rules; readonly person: PersonHistory },
  after: { readonly rules: Rules; readonly person: PersonHistory },
): readonly CommandRequest[] {
  const old = requirementsOf(before.person, before.rules[rule] ?? []);
  const now = requirementsOf(after.person, after.rules[rule] ?? []);
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((course) => !isDeepStrictEqual(old.get(course), now.get(course)))
    .map((course) => ({
      type: 'ApplyRequirement',
      at: event.metadata.occurredAt,
      data: { person: after.person.person, course, rule, periods: now.get(course) ?? [], cause: event.id },
    }));
}

type AssignmentReaction = Reaction<Rules, PersonHistory, AssignmentEvent>;

/** Whoever takes on a role, moves, joins or leaves is enrolled in what the rules require of them now, and no longer in what they do not. */
const whenRoleChangedThenAssign: AssignmentReaction = {
  name: 'when-role-changed-then-assign',
  on: ['PersonHired', 'PersonRehired', 'RoleChanged', 'PersonTransferred', 'PersonTerminated'],
  react: (event, before, after) =>
    Object.keys(after.shared).flatMap((rule) =>
      requirementChanges(
        event,
        rule,
        { rules: before.shared, person: before.own },
        { rules: after.shared, person: after.own },
      ),
    ),
};

/** A rule that is published, changed or retired is brought to bear on everybody whom it touches. */
const whenRulePublishedThenAssign: AssignmentReaction = {
  name: 'when-rule-published-then-assign',
  on: ['AssignmentRulePublished', 'AssignmentRuleRetired'],
  react: (event, before, after) => {
    if (event.type !== 'AssignmentRulePublished' && event.type !== 'AssignmentRuleRetired') return [];
    const { rule } = event.data;
    return requirementChanges(
      event,
      rule,
      { rules: before.shared, person: before.own },
      { rules: after.shared, person: after.own },
    );
  },
};

/** Keeps everybody's enrollments in step with the rules: what is required of whom follows from both histories alone. */
export const assignment: Workflow<Rules, PersonHistory, AssignmentEvent> = {
  name: 'assignment',
  version: 1,
  handles: [...whenRoleChangedThenAssign.on, ...whenRulePublishedThenAssign.on],
  key: (event) => ('person' in event.data ? event.data.person : undefined),
  initialShared: {},
  initialOwn: { person: '', employed: [], role: [], orgUnit: [] },
  evolveShared: (rules, event) => {
    if (event.type === 'AssignmentRulePublished') {
      const { rule, version, audience, courses, due, recertification, effectiveOn: on } = event.data;
      const value = { version, audience, courses, due, recertification };
      return { ...rules, [rule]: withDated(rules[rule] ?? [], { on, value, cause: event.id, rank: version }) };
    }
    if (event.type === 'AssignmentRuleRetired') {
      const { rule, version, effectiveOn: on } = event.data;
      return { ...rules, [rule]: withDated(rules[rule] ?? [], { on, value: null, cause: event.id, rank: version }) };
    }
    return rules;
  },
  evolveOwn: (history, event) => {
    if (!('person' in event.data)) return history;
    const { person, effectiveOn: on } = event.data;
    const { employed, role, orgUnit } = history;
    const fact = <V>(value: V, rank: number): Fact<V> => ({ on, value, cause: event.id, rank });
    switch (event.type) {
      case 'PersonHired':
      case 'PersonRehired':
        return {
          person,
          employed: withDated(employed, fact(true, event.type === 'PersonHired' ? 0 : 2)),
          role: withDated(role, fact(event.data.role, 0)),
          orgUnit: withDated(orgUnit, fact(event.data.orgUnit, 0)),
        };
      case 'RoleChanged':
        return { ...history, person, role: withDated(role, fact(event.data.role, 1)) };
      case 'PersonTransferred':
        return { ...history, person, orgUnit: withDated(orgUnit, fact(event.data.orgUnit, 1)) };
      case 'PersonTerminated':
        return { ...history, person, employed: withDated(employed, fact(false, 1)) };
      default:
        return history;
    }
  },
  reactions: [whenRoleChangedThenAssign, whenRulePublishedThenAssign],
};
