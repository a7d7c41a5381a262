import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';

export type EnrollmentStatus = 'open' | 'withdrawn' | 'completed' | 'failed' | 'exempted' | 'expired';

/** What counts as assigned: neither withdrawn nor exempted, nor an old certificate that nobody asks to renew. */
export function isAssigned(status: string): status is 'open' | 'completed' | 'failed' {
  return status === 'open' || status === 'completed' || status === 'failed';
}

/** How an enrollment stands after an event; as the warehouse's `enrollment_facts` has it. */
export function statusAfter<S extends string>(status: S, event: EnrollmentEvent): S | EnrollmentStatus {
  switch (event.type) {
    case 'LearnerEnrolled':
    case 'DueDateMoved':
    case 'EnrollmentSuperseded':
      return 'open';
    case 'RequirementAdded':
    case 'RequirementEnded':
      return event.data.open ? 'open' : status;
    case 'LearnerWithdrawn':
      return event.data.certified ? 'completed' : 'withdrawn';
    case 'LearnerExempted':
      return 'exempted';
    case 'EnrollmentCompleted':
      return 'completed';
    case 'EnrollmentFailed':
      return 'failed';
    case 'CertificationExpired':
      return event.data.open ? status : 'expired';
    default:
      return status;
  }
}

/** When an enrollment is due after an event; null when it is not. */
export function dueAfter(dueOn: string | null, event: EnrollmentEvent): string | null {
  switch (event.type) {
    case 'LearnerEnrolled':
    case 'DueDateMoved':
    case 'EnrollmentSuperseded':
    case 'RequirementAdded':
    case 'RequirementEnded':
      return event.data.dueOn;
    default:
      return dueOn;
  }
}

/** The events that say how an enrollment stands, or when it is due. */
export const STANDING_EVENTS = [
  'LearnerEnrolled',
  'RequirementAdded',
  'RequirementEnded',
  'DueDateMoved',
  'LearnerExempted',
  'LearnerWithdrawn',
  'EnrollmentCompleted',
  'EnrollmentFailed',
  'CertificationExpired',
  'EnrollmentSuperseded',
] as const satisfies readonly EnrollmentEvent['type'][];

/** The events by which somebody is certified. */
export const CERTIFICATE_EVENTS = [
  'LearnerCertified',
  'CertificationRenewed',
] as const satisfies readonly EnrollmentEvent['type'][];
