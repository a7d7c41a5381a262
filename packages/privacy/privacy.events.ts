// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';
import type { RetentionCategory, RetentionStart } from './retention.events';

interface About {
  readonly person: string;
}

interface OfHold extends About {
  /** What it is about, as `case-2026-17`. Several holds can be in force. */
  readonly matter: string;
  readonly reason: string;
}

interface OfErasure extends About {
  /** Which of the person's requests it is, counted from 1. */
  readonly erasure: number;
  /** Who asked, approved or rejected: `sub` of the token. */
  readonly by: string;
}

/** Nothing of the person may be erased while a hold is in force. */
export type LegalHoldSet = DomainEvent<'LegalHoldSet', OfHold>;
export type LegalHoldLifted = DomainEvent<'LegalHoldLifted', OfHold>;

/** Why a retention rule does not need the name of a person any more. */
export interface RetentionGround {
  readonly category: RetentionCategory;
  /** Events of the category about the person. */
  readonly events: number;
  /** Version of the category's rule, and what it says. */
  readonly version: number;
  readonly keepFor: string;
  readonly from: RetentionStart;
  /** The period's first day, and the day on which it was over. ISO 8601. */
  readonly since: string;
  readonly until: string;
}

interface OnGrounds {
  /** One for each category that has events about the person; null when it was not because of retention rules. */
  readonly retention: readonly RetentionGround[] | null;
}

export type ErasureRequested = DomainEvent<'ErasureRequested', OfErasure & OnGrounds & { readonly reason: string }>;
/** By somebody else than who asked. From here on it is carried out, and nothing stops it. */
export type ErasureApproved = DomainEvent<'ErasureApproved', OfErasure>;
export type ErasureRejected = DomainEvent<'ErasureRejected', OfErasure & { readonly reason: string }>;

/** What was done in one place. */
export interface Scrubbed {
  readonly where: string;
  readonly what: string;
}

/** The receipt. */
export type ErasureCompleted = DomainEvent<
  'ErasureCompleted',
  About &
    OnGrounds & {
      readonly erasure: number;
      readonly scrubbed: readonly Scrubbed[];
    }
>;

/** A copy of everything about the person was given out; whoever has it must delete it when the person is erased. */
export type PersonalDataExported = DomainEvent<
  'PersonalDataExported',
  About & { readonly export: string; readonly by: string }
>;

export type PrivacyEvent =
  | LegalHoldSet
  | LegalHoldLifted
  | ErasureRequested
  | ErasureApproved
  | ErasureRejected
  | ErasureCompleted
  | PersonalDataExported;

const beforeRetention = (data: object): object => ({ retention: null, ...data });

export const privacyEventVersions: EventVersions<PrivacyEvent> = {
  LegalHoldSet: { version: 1 },
  LegalHoldLifted: { version: 1 },
  ErasureRequested: { version: 2, upcast: { 1: beforeRetention } },
  ErasureApproved: { version: 1 },
  ErasureRejected: { version: 1 },
  ErasureCompleted: { version: 2, upcast: { 1: beforeRetention } },
  PersonalDataExported: { version: 1 },
};
