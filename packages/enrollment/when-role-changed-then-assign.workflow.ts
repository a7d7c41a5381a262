import type { CommandRequest, DomainEvent, EventMetadata, Recorded, Workflow } from '../eventsourcing';
import type { AssignmentRulePublished } from './enrollment.events';

/** What this workflow reads of the people context's events: contexts meet through events, not through each other's code. */
type RoleHeld = DomainEvent<'PersonHired' | 'RoleChanged', { readonly person: string; readonly role: string }>;

type Rules = Readonly<Record<string, AssignmentRulePublished['data']>>;

/** Somebody who takes on a role is enrolled in what the rules require of it, due counted from the day of the change. */
export const whenRoleChangedThenAssign: Workflow<Rules, RoleHeld | AssignmentRulePublished> = {
  name: 'when-role-changed-then-assign',
  version: 1,
  handles: ['PersonHired', 'RoleChanged', 'AssignmentRulePublished'],
  initialState: {},
  evolve: (rules, event) =>
    event.type === 'AssignmentRulePublished' ? { ...rules, [event.data.rule]: event.data } : rules,
  react: (event, rules) => {
    if (event.type === 'AssignmentRulePublished') return [];
    return Object.values(rules)
      .filter(({ roles }) => roles.length === 0 || roles.includes(event.data.role))
      .flatMap((rule) => rule.courses.map((course) => assign(event, rule, course)));
  },
};

function assign(event: Recorded<RoleHeld>, rule: AssignmentRulePublished['data'], course: string): CommandRequest {
  const { occurredAt } = event.metadata;
  return {
    type: 'EnrollLearner',
    at: occurredAt,
    data: {
      person: event.data.person,
      course,
      reason: { kind: 'rule', rule: rule.rule, ruleVersion: rule.version, cause: event.id },
      ...(rule.dueInDays === null ? {} : { dueOn: dueOn(occurredAt, rule.dueInDays) }),
    },
  };
}

function dueOn(from: EventMetadata['occurredAt'], days: number): string {
  const due = new Date(from);
  due.setUTCDate(due.getUTCDate() + days);
  return due.toISOString().slice(0, 10);
}
