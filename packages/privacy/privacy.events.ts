// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

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

export type ErasureRequested = DomainEvent<'ErasureRequested', OfErasure & { readonly reason: string }>;
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
  About & {
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

export const privacyEventVersions: EventVersions<PrivacyEvent> = {
  LegalHoldSet: { version: 1 },
  LegalHoldLifted: { version: 1 },
  ErasureRequested: { version: 1 },
  ErasureApproved: { version: 1 },
  ErasureRejected: { version: 1 },
  ErasureCompleted: { version: 1 },
  PersonalDataExported: { version: 1 },
};
