import { type Command, type Decider, derivedId, DomainError, unreachable } from '../eventsourcing';
import type { EnrollmentEvent, EnrollmentReason } from './enrollment.events';

export interface Enrollment {
  readonly status: 'none' | 'open' | 'withdrawn' | 'completed' | 'failed';
}

const initialState: Enrollment = { status: 'none' };

export interface EnrollmentCommandData {
  EnrollLearner: { person: string; course: string; dueOn?: string; reason?: EnrollmentReason };
  WithdrawLearner: { person: string; course: string };
  CompleteEnrollment: { person: string; course: string; result?: string };
  FailEnrollment: { person: string; course: string; result?: string };
}

export type EnrollmentCommand = {
  [Type in keyof EnrollmentCommandData]: Command<Type, EnrollmentCommandData[Type]>;
}[keyof EnrollmentCommandData];

/** One enrollment per person and course, so uniqueness needs no lookup. Course ids are unique within a tenant, person ids everywhere. */
export function enrollmentIdOf(person: string, course: string): string {
  return derivedId('enrollment', person, course);
}

function decide(command: EnrollmentCommand, { status }: Enrollment): readonly EnrollmentEvent[] {
  const { person, course } = command.data;
  const enrolled = { enrollment: enrollmentIdOf(person, course), person, course };
  switch (command.type) {
    case 'EnrollLearner': {
      if (status === 'open' || status === 'completed') return [];
      const { reason = { kind: 'manual' }, dueOn = null } = command.data;
      return [{ type: 'LearnerEnrolled', data: { ...enrolled, reason, dueOn } }];
    }
    case 'WithdrawLearner':
      if (status === 'withdrawn') return [];
      refuseUnlessOpen(status);
      return [{ type: 'LearnerWithdrawn', data: enrolled }];
    case 'CompleteEnrollment':
      if (status === 'completed') return [];
      refuseUnlessOpen(status);
      return [{ type: 'EnrollmentCompleted', data: { ...enrolled, result: command.data.result ?? null } }];
    case 'FailEnrollment':
      if (status === 'failed') return [];
      refuseUnlessOpen(status);
      return [{ type: 'EnrollmentFailed', data: { ...enrolled, result: command.data.result ?? null } }];
    default:
      return unreachable(command);
  }
}

function refuseUnlessOpen(status: Enrollment['status']): void {
  switch (status) {
    case 'open':
      return;
    case 'none':
      throw new DomainError('not-enrolled', 'The person is not enrolled in this course: enrol them first.');
    case 'withdrawn':
      throw new DomainError('enrollment-withdrawn', 'The enrollment was withdrawn: enrol the person again first.');
    case 'completed':
      throw new DomainError('enrollment-completed', 'The enrollment is already completed.');
    case 'failed':
      throw new DomainError(
        'enrollment-failed',
        'The enrollment already ended as failed: enrol the person again first.',
      );
    default:
      unreachable(status);
  }
}

function evolve(_state: Enrollment, event: EnrollmentEvent): Enrollment {
  switch (event.type) {
    case 'LearnerEnrolled':
      return { status: 'open' };
    case 'LearnerWithdrawn':
      return { status: 'withdrawn' };
    case 'EnrollmentCompleted':
      return { status: 'completed' };
    case 'EnrollmentFailed':
      return { status: 'failed' };
    default:
      return unreachable(event);
  }
}

export const enrollmentDecider: Decider<Enrollment, EnrollmentCommand, EnrollmentEvent> = {
  category: 'enrollment',
  initialState,
  id: ({ data }) => enrollmentIdOf(data.person, data.course),
  decide,
  evolve,
  opens: ['EnrollLearner'],
};
