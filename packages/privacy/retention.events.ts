// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** What a rule can be about: the events of these kinds about a person. */
export const RETENTION_CATEGORIES = ['person', 'enrollment', 'certification', 'attempt', 'notification'] as const;
export type RetentionCategory = (typeof RETENTION_CATEGORIES)[number];

/** What a period counts from: the day on which the person left, or the day of the newest of the category's events about them. */
export const RETENTION_STARTS = ['departure', 'last-event'] as const;
export type RetentionStart = (typeof RETENTION_STARTS)[number];

interface OfRule {
  readonly category: RetentionCategory;
  /** Counted from 1 for each category. */
  readonly version: number;
  readonly reason: string;
  /** `sub` of the token. */
  readonly by: string;
}

/** So long a category's events need the name of the person whom they are about. Takes the place of the version before. */
export type RetentionRuleSet = DomainEvent<
  'RetentionRuleSet',
  OfRule & {
    /** ISO 8601 duration, `P6Y`. */
    readonly keepFor: string;
    readonly from: RetentionStart;
  }
>;
/** From here on the category's events need it without end. */
export type RetentionRuleWithdrawn = DomainEvent<'RetentionRuleWithdrawn', OfRule>;

export type RetentionEvent = RetentionRuleSet | RetentionRuleWithdrawn;

export const retentionEventVersions: EventVersions<RetentionEvent> = {
  RetentionRuleSet: { version: 1 },
  RetentionRuleWithdrawn: { version: 1 },
};
