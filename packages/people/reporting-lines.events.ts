// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** Why somebody reports to whom they report to. `cause` is the id of the event that brought it about. */
export type ReportingLineReason =
  /** The HRIS said `claimed`, for the time from `from` on; they report to somebody further up where that manager has left. */
  | { readonly kind: 'hr'; readonly claimed: string | null; readonly from: string; readonly cause: string }
  /** What the HRIS said is refused since it would close a circle; they stay where they were, or go to the top. */
  | { readonly kind: 'circle'; readonly cause: string }
  /** Their manager left; they report to the next one up until the HRIS says otherwise. */
  | { readonly kind: 'manager-left'; readonly former: string; readonly cause: string };

/**
 * People report to this manager from `effectiveOn` on. Of two events the one that was recorded later holds from its day on: a fact
 * that arrives late is followed by what it does not change.
 */
export type ReportingLineChanged = DomainEvent<
  'ReportingLineChanged',
  {
    readonly people: readonly string[];
    /** Person id; null at the top. */
    readonly manager: string | null;
    readonly reason: ReportingLineReason;
    readonly effectiveOn: string;
  }
>;

/** Whom the HRIS says somebody reports to from a day on. */
export interface Claim {
  /** ISO 8601 date. */
  readonly from: string;
  readonly manager: string | null;
  /** Id of the event of the person's stream. */
  readonly cause: string;
}

/** What the HRIS said closes a circle, and of those in it was said last: the person stays where they were until it closes none. */
export type ReportingLineRefused = DomainEvent<
  'ReportingLineRefused',
  {
    readonly person: string;
    readonly claimed: string;
    /** From the manager up to the person. */
    readonly path: readonly string[];
    /** All that the HRIS said about the person, in the order of days; the last is refused. */
    readonly claims: readonly Claim[];
    readonly cause: string;
    readonly effectiveOn: string;
  }
>;

/** Whoever has left leads nobody; whoever came back can again. */
export type ReportingLineLeft = DomainEvent<
  'ReportingLineLeft',
  { readonly person: string; readonly cause: string; readonly effectiveOn: string }
>;
export type ReportingLineRejoined = DomainEvent<
  'ReportingLineRejoined',
  { readonly person: string; readonly cause: string; readonly effectiveOn: string }
>;

export type ReportingLinesEvent =
  ReportingLineChanged | ReportingLineRefused | ReportingLineLeft | ReportingLineRejoined;

export const reportingLinesEventVersions: EventVersions<ReportingLinesEvent> = {
  ReportingLineChanged: { version: 1 },
  ReportingLineRefused: { version: 1 },
  ReportingLineLeft: { version: 1 },
  ReportingLineRejoined: { version: 1 },
};
