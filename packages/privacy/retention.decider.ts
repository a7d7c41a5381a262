import { type Command, type Decider, DomainError, unreachable } from '../eventsourcing';
import type { RetentionCategory, RetentionEvent, RetentionStart } from './retention.events';

/** A rule in force. */
export interface RetentionRule {
  readonly category: RetentionCategory;
  readonly version: number;
  readonly keepFor: string;
  readonly from: RetentionStart;
  readonly reason: string;
  /** Who ruled it. */
  readonly by: string;
}

/** What is ruled for one category. */
export interface Retention {
  /** 0 before the first rule. */
  readonly version: number;
  /** Null before the first rule, and while it is withdrawn. */
  readonly rule: RetentionRule | null;
}

const initialState: Retention = { version: 0, rule: null };

export interface RetentionCommandData {
  SetRetentionRule: {
    category: RetentionCategory;
    keepFor: string;
    from: RetentionStart;
    reason: string;
    by: string;
  };
  WithdrawRetentionRule: { category: RetentionCategory; reason: string; by: string };
}

export type RetentionCommand = {
  [Type in keyof RetentionCommandData]: Command<Type, RetentionCommandData[Type]>;
}[keyof RetentionCommandData];

function decide(command: RetentionCommand, { version, rule }: Retention): readonly RetentionEvent[] {
  switch (command.type) {
    case 'SetRetentionRule': {
      const { category, keepFor, from, reason, by } = command.data;
      if (rule?.keepFor === keepFor && rule.from === from) return [];
      return [{ type: 'RetentionRuleSet', data: { category, version: version + 1, keepFor, from, reason, by } }];
    }
    case 'WithdrawRetentionRule': {
      const { category, reason, by } = command.data;
      if (version === 0)
        throw new DomainError('no-retention-rule', `There never was a retention rule for ${category}.`);
      return rule ? [{ type: 'RetentionRuleWithdrawn', data: { category, version, reason, by } }] : [];
    }
    default:
      return unreachable(command);
  }
}

function evolve(state: Retention, event: RetentionEvent): Retention {
  switch (event.type) {
    case 'RetentionRuleSet': {
      const { category, version, keepFor, from, reason, by } = event.data;
      return { version, rule: { category, version, keepFor, from, reason, by } };
    }
    case 'RetentionRuleWithdrawn':
      return { ...state, rule: null };
    default:
      return unreachable(event);
  }
}

export const retentionDecider: Decider<Retention, RetentionCommand, RetentionEvent> = {
  category: 'retention',
  initialState,
  id: ({ data }) => data.category,
  decide,
  evolve,
};
