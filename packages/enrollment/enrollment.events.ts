// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

export type CoursePublished = DomainEvent<
  'CoursePublished',
  { readonly course: string; readonly version: number; readonly title: string }
>;

export type AssignmentRulePublished = DomainEvent<
  'AssignmentRulePublished',
  {
    readonly rule: string;
    readonly version: number;
    /** Roles that the rule is for; empty means everyone. */
    readonly roles: readonly string[];
    readonly courses: readonly string[];
    /** Days from the assignment to the due date; null for none. */
    readonly dueInDays: number | null;
  }
>;

/** Why somebody is enrolled. A rule names its version and the event that brought it to bear. */
export type EnrollmentReason =
  | { readonly kind: 'manual' | 'self' }
  | { readonly kind: 'rule'; readonly rule: string; readonly ruleVersion: number; readonly cause: string };

interface Enrolled {
  readonly enrollment: string;
  readonly person: string;
  readonly course: string;
}

export type LearnerEnrolled = DomainEvent<
  'LearnerEnrolled',
  Enrolled & {
    readonly reason: EnrollmentReason;
    /** ISO 8601 date; null when nothing is due. */
    readonly dueOn: string | null;
  }
>;
export type LearnerWithdrawn = DomainEvent<'LearnerWithdrawn', Enrolled>;
export type EnrollmentCompleted = DomainEvent<'EnrollmentCompleted', Enrolled & { readonly result: string | null }>;
export type EnrollmentFailed = DomainEvent<'EnrollmentFailed', Enrolled & { readonly result: string | null }>;

export type CourseEvent = CoursePublished;
export type RuleEvent = AssignmentRulePublished;
export type EnrollmentEvent = LearnerEnrolled | LearnerWithdrawn | EnrollmentCompleted | EnrollmentFailed;

export const enrollmentEventVersions: EventVersions<CourseEvent | RuleEvent | EnrollmentEvent> = {
  CoursePublished: { version: 1 },
  AssignmentRulePublished: { version: 1 },
  LearnerEnrolled: { version: 1 },
  LearnerWithdrawn: { version: 1 },
  EnrollmentCompleted: { version: 1 },
  EnrollmentFailed: { version: 1 },
};
