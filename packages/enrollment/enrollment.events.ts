// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** How long a pass counts. `yearly`: until this day, `MM-DD`, comes round next. */
export type Validity =
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'days'; readonly days: number }
  | { readonly kind: 'yearly'; readonly on: string };

interface CourseContent {
  readonly course: string;
  readonly title: string;
  readonly validity: Validity;
  /** Whoever passes this assessment has completed the course; null when the learning app says so itself. */
  readonly assessment: string | null;
}

export type CourseDrafted = DomainEvent<'CourseDrafted', CourseContent>;
export type CoursePublished = DomainEvent<'CoursePublished', CourseContent & { readonly version: number }>;
export type CourseRetired = DomainEvent<'CourseRetired', { readonly course: string }>;

/** Whom a rule is for: everyone, or whoever fits one of the alternatives in all that it names. */
export type Audience =
  | { readonly everyone: true }
  | {
      readonly anyOf: readonly {
        readonly roles: readonly string[] | null;
        readonly orgUnits: readonly string[] | null;
      }[];
    };

/** When an assignment is due: so many days after it begins, or on a fixed date. */
export type Due =
  | { readonly kind: 'in-days'; readonly days: number }
  /** ISO 8601 date. */
  | { readonly kind: 'on'; readonly date: string };

/** How a certificate is kept up. All days are counted from its expiry. */
export interface Recertification {
  /** A renewal may be earned from so many days before the expiry on; whatever is completed earlier renews nothing. */
  readonly opensDaysBefore: number;
  /** Whether a renewal in time counts on from the old expiry (a fixed window) or from the completion (rolling). */
  readonly renewsFrom: 'expiry' | 'completion';
  /** The same for a completion after the expiry. */
  readonly lateRenewsFrom: 'expiry' | 'completion';
  /**
   * Alignment of new hires to a fixed window: whoever completes for the first time so few days before the next expiry is certified
   * until the one after it. 0 for none.
   */
  readonly alignsNewHiresWithinDays: number;
}

export type AssignmentRulePublished = DomainEvent<
  'AssignmentRulePublished',
  {
    readonly rule: string;
    readonly version: number;
    readonly audience: Audience;
    readonly courses: readonly string[];
    readonly due: Due | null;
    readonly recertification: Recertification | null;
    /** ISO 8601 date; what was so before it is not the rule's concern. */
    readonly effectiveOn: string;
  }
>;

/** The rule requires nothing any more from `effectiveOn` on. */
export type AssignmentRuleRetired = DomainEvent<
  'AssignmentRuleRetired',
  { readonly rule: string; readonly version: number; readonly effectiveOn: string }
>;

/** A rule names its version and the event that brought it to bear. */
export interface RuleReason {
  readonly kind: 'rule';
  readonly rule: string;
  readonly ruleVersion: number;
  /** Id of the event. */
  readonly cause: string;
}

/** Why somebody is enrolled. */
export type EnrollmentReason =
  | { readonly kind: 'manual' | 'self' }
  | RuleReason
  /** A certificate is about to expire, or has expired. */
  | { readonly kind: 'recertification'; readonly expiresOn: string };

/** Why somebody is enrolled no longer. `cause` is the id of an event. */
export type WithdrawalReason =
  | { readonly kind: 'manual' }
  /** The last rule that required the course does so no longer. */
  | { readonly kind: 'not-required'; readonly rule: string; readonly cause: string }
  | { readonly kind: 'left'; readonly cause: string };

/**
 * What the events of one enrollment have in common. `effectiveOn` (ISO 8601 date), where there is one, says from when the event holds. Rules
 * follow HR facts, which can be late: events of a stream that are recorded later win over earlier ones from their day on.
 */
interface Enrolled {
  readonly enrollment: string;
  readonly person: string;
  readonly course: string;
}

export type LearnerEnrolled = DomainEvent<
  'LearnerEnrolled',
  Enrolled & {
    readonly reason: EnrollmentReason;
    /** ISO 8601 date; null when nothing is due. With other reasons still in force it is the earliest of them. */
    readonly dueOn: string | null;
    /** When it is due for this reason alone. */
    readonly ruleDueOn: string | null;
    /** How the rule wants a certificate kept up; null when it does not say, and for other reasons. */
    readonly recertification: Recertification | null;
    readonly effectiveOn: string;
  }
>;

/** One more rule requires a course that the person is enrolled in, or has completed, already. */
export type RequirementAdded = DomainEvent<
  'RequirementAdded',
  Enrolled & {
    readonly reason: RuleReason;
    /** When the enrollment as a whole is due from now on: the earliest of its reasons. */
    readonly dueOn: string | null;
    readonly ruleDueOn: string | null;
    readonly recertification: Recertification | null;
    /** Whether the enrollment is open from that day on; false when it was completed, which stays. */
    readonly open: boolean;
    readonly effectiveOn: string;
  }
>;

/** A rule requires the course no longer; the enrollment goes on for other reasons, or was completed. */
export type RequirementEnded = DomainEvent<
  'RequirementEnded',
  Enrolled & {
    readonly rule: string;
    readonly cause: string;
    readonly dueOn: string | null;
    readonly open: boolean;
    readonly effectiveOn: string;
  }
>;

export type DueDateMoved = DomainEvent<
  'DueDateMoved',
  Enrolled & { readonly dueOn: string | null; readonly reason: string }
>;

export type LearnerExempted = DomainEvent<
  'LearnerExempted',
  Enrolled & {
    readonly reason: string;
    /** Who allowed it: a person id. */
    readonly approver: string;
  }
>;

export type LearnerWithdrawn = DomainEvent<
  'LearnerWithdrawn',
  Enrolled & {
    readonly reason: WithdrawalReason;
    /** Its certificate still counts: what is withdrawn is only the renewal. */
    readonly certified: boolean;
    readonly effectiveOn: string;
  }
>;
export type EnrollmentStarted = DomainEvent<'EnrollmentStarted', Enrolled>;
export type EnrollmentCompleted = DomainEvent<
  'EnrollmentCompleted',
  Enrolled & {
    readonly result: string | null;
    /** Version of the course that was completed; null when it was never published here. */
    readonly courseVersion: number | null;
    /** The attempt that showed it; null when the learning app said so. */
    readonly attempt: string | null;
  }
>;
export type EnrollmentFailed = DomainEvent<'EnrollmentFailed', Enrolled & { readonly result: string | null }>;

/** It is due on `dueOn`, soon, and still open. */
export type LearnerReminded = DomainEvent<'LearnerReminded', Enrolled & { readonly dueOn: string }>;

/** It was due on `dueOn` and is still open. */
export type EnrollmentBecameOverdue = DomainEvent<'EnrollmentBecameOverdue', Enrolled & { readonly dueOn: string }>;

interface Certificate {
  /** The day of the completion. ISO 8601 date. */
  readonly certifiedOn: string;
  /** Last day on which the certificate counts. ISO 8601 date. */
  readonly expiresOn: string;
  /** From this day on a renewal may be earned; null when no rule asks for one. */
  readonly renewalOpensOn: string | null;
}

/** The completion that stands before it in the stream counts until `expiresOn`. */
export type LearnerCertified = DomainEvent<'LearnerCertified', Enrolled & Certificate>;
export type CertificationRenewed = DomainEvent<
  'CertificationRenewed',
  Enrolled & Certificate & { readonly previousExpiresOn: string }
>;
export type CertificationExpired = DomainEvent<
  'CertificationExpired',
  Enrolled & {
    readonly expiresOn: string;
    /** A renewal is open already. */
    readonly open: boolean;
  }
>;

/** A new version of the course counts instead: what was completed before must be completed again. */
export type EnrollmentSuperseded = DomainEvent<
  'EnrollmentSuperseded',
  Enrolled & { readonly courseVersion: number; readonly dueOn: string | null }
>;

export type CourseEvent = CourseDrafted | CoursePublished | CourseRetired;
export type RuleEvent = AssignmentRulePublished | AssignmentRuleRetired;
export type EnrollmentEvent =
  | LearnerEnrolled
  | RequirementAdded
  | RequirementEnded
  | DueDateMoved
  | LearnerExempted
  | LearnerWithdrawn
  | EnrollmentStarted
  | EnrollmentCompleted
  | EnrollmentFailed
  | LearnerReminded
  | EnrollmentBecameOverdue
  | LearnerCertified
  | CertificationRenewed
  | CertificationExpired
  | EnrollmentSuperseded;

const added = (fields: object) => (data: object) => ({ ...fields, ...data });
const addedSince = (fields: object) => (data: object, occurredAt: string) => ({
  ...fields,
  ...data,
  effectiveOn: occurredAt.slice(0, 10),
});

export const enrollmentEventVersions: EventVersions<CourseEvent | RuleEvent | EnrollmentEvent> = {
  CourseDrafted: { version: 1 },
  CoursePublished: { version: 2, upcast: { 1: added({ validity: { kind: 'unlimited' }, assessment: null }) } },
  CourseRetired: { version: 1 },
  AssignmentRulePublished: { version: 2, upcast: { 1: ruleFromVersion1 } },
  AssignmentRuleRetired: { version: 1 },
  LearnerEnrolled: { version: 2, upcast: { 1: addedSince({ recertification: null, ruleDueOn: null }) } },
  RequirementAdded: { version: 1 },
  RequirementEnded: { version: 1 },
  DueDateMoved: { version: 1 },
  LearnerExempted: { version: 1 },
  LearnerWithdrawn: { version: 2, upcast: { 1: addedSince({ reason: { kind: 'manual' }, certified: false }) } },
  EnrollmentStarted: { version: 1 },
  EnrollmentCompleted: { version: 2, upcast: { 1: added({ courseVersion: null, attempt: null }) } },
  EnrollmentFailed: { version: 1 },
  LearnerReminded: { version: 1 },
  EnrollmentBecameOverdue: { version: 1 },
  LearnerCertified: { version: 1 },
  CertificationRenewed: { version: 1 },
  CertificationExpired: { version: 1 },
  EnrollmentSuperseded: { version: 1 },
};

/** Version 1 knew roles only, none of them for everyone, and applied from the first day that the HRIS told of. */
function ruleFromVersion1(data: object): object {
  const { roles, dueInDays, ...rest } = data as { roles: string[]; dueInDays: number | null };
  return {
    ...rest,
    audience: roles.length === 0 ? { everyone: true } : { anyOf: [{ roles, orgUnits: null }] },
    due: dueInDays === null ? null : { kind: 'in-days', days: dueInDays },
    recertification: null,
    effectiveOn: '1900-01-01',
  };
}
