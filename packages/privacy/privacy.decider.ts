import { isDeepStrictEqual } from 'node:util';
import { type Command, type Decider, DomainError, unreachable } from '../eventsourcing';
import type { PrivacyEvent, RetentionGround, Scrubbed } from './privacy.events';

/** A request for erasure and what became of it. */
export interface Erasure {
  readonly number: number;
  readonly reason: string;
  /** The retention rules that it rests on; null when it does not. */
  readonly retention: readonly RetentionGround[] | null;
  readonly requestedBy: string;
  readonly status: 'requested' | 'rejected' | 'approved' | 'completed';
  readonly approvedBy: string | null;
  readonly scrubbed: readonly Scrubbed[];
}

/** What one person may ask of us, and what keeps us from it. */
export interface Privacy {
  /** Holds in force, by matter, with their reasons. */
  readonly holds: Readonly<Record<string, string>>;
  /** The newest request. */
  readonly erasure: Erasure | null;
  /** Copies given out: which, and to whom. */
  readonly exports: readonly { readonly export: string; readonly by: string }[];
}

const initialState: Privacy = { holds: {}, erasure: null, exports: [] };

export interface PrivacyCommandData {
  SetLegalHold: { person: string; matter: string; reason: string };
  LiftLegalHold: { person: string; matter: string; reason: string };
  /** Only the door of what is due names retention rules. */
  RequestErasure: { person: string; reason: string; by: string; retention?: readonly RetentionGround[] };
  /** Likewise: as they are when it is approved. */
  ApproveErasure: { person: string; by: string; retention?: readonly RetentionGround[] };
  RejectErasure: { person: string; reason: string; by: string };
  /** Only the eraser sends it. */
  CompleteErasure: { person: string; erasure: number; scrubbed: readonly Scrubbed[] };
  /** Only the door of the export sends it. */
  RecordExport: { person: string; export: string; by: string };
}

export type PrivacyCommand = {
  [Type in keyof PrivacyCommandData]: Command<Type, PrivacyCommandData[Type]>;
}[keyof PrivacyCommandData];

function decide(command: PrivacyCommand, state: Privacy): readonly PrivacyEvent[] {
  const { person } = command.data;
  const { holds, erasure } = state;
  switch (command.type) {
    case 'SetLegalHold': {
      const { matter, reason } = command.data;
      if (holds[matter] === reason) return [];
      if (isUnstoppable(erasure)) {
        throw new DomainError(
          'erasure-under-way',
          `The erasure of ${person} was approved; there is nothing left to hold.`,
        );
      }
      return [{ type: 'LegalHoldSet', data: { person, matter, reason } }];
    }
    case 'LiftLegalHold': {
      const { matter, reason } = command.data;
      return matter in holds ? [{ type: 'LegalHoldLifted', data: { person, matter, reason } }] : [];
    }
    case 'RequestErasure': {
      const { reason, by, retention = null } = command.data;
      if (erasure && erasure.status !== 'rejected') {
        if (erasure.requestedBy === by && erasure.reason === reason) return [];
        throw new DomainError('erasure-already-requested', `The erasure of ${person} is ${erasure.status} already.`);
      }
      refuseUnderHold(person, state);
      const number = (erasure?.number ?? 0) + 1;
      return [{ type: 'ErasureRequested', data: { person, erasure: number, reason, by, retention } }];
    }
    case 'ApproveErasure': {
      const { by, retention = null } = command.data;
      if (isUnstoppable(erasure)) return [];
      const { number, requestedBy, retention: requested } = pending(person, erasure);
      if (requestedBy === by) {
        throw new DomainError('own-request', 'Somebody else than who requested an erasure must approve it.');
      }
      refuseUnderHold(person, state);
      if (!isDeepStrictEqual(retention, requested)) {
        throw new DomainError(
          'other-grounds',
          requested
            ? `The erasure of ${person} rests on retention rules: it is approved among what is due, while that says the same.`
            : `The erasure of ${person} was not requested because of retention rules.`,
        );
      }
      return [{ type: 'ErasureApproved', data: { person, erasure: number, by } }];
    }
    case 'RejectErasure': {
      const { reason, by } = command.data;
      if (erasure?.status === 'rejected') return [];
      if (isUnstoppable(erasure)) {
        throw new DomainError(
          'erasure-under-way',
          `The erasure of ${person} was approved; it cannot be rejected any more.`,
        );
      }
      return [{ type: 'ErasureRejected', data: { person, erasure: pending(person, erasure).number, reason, by } }];
    }
    case 'CompleteErasure': {
      const { erasure: number, scrubbed } = command.data;
      if (erasure?.number !== number || erasure.status !== 'approved') return [];
      return [{ type: 'ErasureCompleted', data: { person, erasure: number, scrubbed, retention: erasure.retention } }];
    }
    case 'RecordExport': {
      const { export: id, by } = command.data;
      if (state.exports.some((known) => known.export === id)) return [];
      return [{ type: 'PersonalDataExported', data: { person, export: id, by } }];
    }
    default:
      return unreachable(command);
  }
}

function isUnstoppable(erasure: Erasure | null): erasure is Erasure {
  return erasure?.status === 'approved' || erasure?.status === 'completed';
}

function pending(person: string, erasure: Erasure | null): Erasure {
  if (erasure?.status === 'requested') return erasure;
  throw new DomainError('no-erasure-requested', `Nobody has requested the erasure of ${person}.`);
}

function refuseUnderHold(person: string, { holds }: Privacy): void {
  const matters = Object.keys(holds);
  if (matters.length === 0) return;
  throw new DomainError('legal-hold', `Person ${person} is under legal hold: ${matters.join(', ')}.`);
}

function evolve(state: Privacy, event: PrivacyEvent): Privacy {
  switch (event.type) {
    case 'LegalHoldSet':
      return { ...state, holds: { ...state.holds, [event.data.matter]: event.data.reason } };
    case 'LegalHoldLifted': {
      const { [event.data.matter]: _lifted, ...holds } = state.holds;
      return { ...state, holds };
    }
    case 'ErasureRequested': {
      const { erasure: number, reason, retention, by: requestedBy } = event.data;
      const asked = { number, reason, retention, requestedBy };
      return { ...state, erasure: { ...asked, status: 'requested', approvedBy: null, scrubbed: [] } };
    }
    case 'ErasureApproved':
      return { ...state, erasure: { ...state.erasure!, status: 'approved', approvedBy: event.data.by } };
    case 'ErasureRejected':
      return { ...state, erasure: { ...state.erasure!, status: 'rejected' } };
    case 'ErasureCompleted':
      return { ...state, erasure: { ...state.erasure!, status: 'completed', scrubbed: event.data.scrubbed } };
    case 'PersonalDataExported': {
      const { export: id, by } = event.data;
      return { ...state, exports: [...state.exports, { export: id, by }] };
    }
    default:
      return unreachable(event);
  }
}

/** Holds and erasure stand in one stream per person, because each forbids the other. */
export const privacyDecider: Decider<Privacy, PrivacyCommand, PrivacyEvent> = {
  category: 'privacy',
  initialState,
  id: ({ data }) => data.person,
  decide,
  evolve,
};
