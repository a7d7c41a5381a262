// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** `scaled` is the score on 0..1; `raw`, `min` and `max` are as the learning app gave them. */
export interface Grade {
  readonly raw: number;
  readonly min: number;
  readonly max: number;
  readonly scaled: number;
  readonly passed: boolean;
}

interface Attempted {
  readonly attempt: string;
  readonly person: string;
  readonly course: string;
  readonly assessment: string;
}

export type AttemptRecorded = DomainEvent<
  'AttemptRecorded',
  Attempted & {
    /** Carried over from an earlier presentation of the course. */
    readonly banked: boolean;
    /** Null until somebody grades it. */
    readonly grade: Grade | null;
  }
>;

export type AttemptGraded = DomainEvent<'AttemptGraded', Attempted & { readonly grade: Grade }>;

export type AttemptEvent = AttemptRecorded | AttemptGraded;

export const attemptEventVersions: EventVersions<AttemptEvent> = {
  AttemptRecorded: { version: 1 },
  AttemptGraded: { version: 1 },
};
