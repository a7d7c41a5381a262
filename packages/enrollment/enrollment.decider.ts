import { addDays, type Command, dayOf, type Decider, derivedId, DomainError, unreachable } from '../eventsourcing';
import { type Certificate, certificateOf } from './certification';
import type {
  EnrollmentEvent,
  EnrollmentReason,
  Recertification,
  Validity,
  WithdrawalReason,
} from './enrollment.events';
import { decideRequirement } from './requirement';
import type { Period } from './requirements';
import { type Timeline, withBoundary } from './timeline';

export interface Enrollment {
  readonly status: 'none' | 'open' | 'withdrawn' | 'completed' | 'failed' | 'exempted' | 'expired';
  /** Open for a reason of its own (by hand, by the learner), which rules that end leave alone. */
  readonly isOwn: boolean;
  readonly ownDueOn: string | null;
  readonly dueOn: string | null;
  readonly isStarted: boolean;
  readonly isReminded: boolean;
  readonly isOverdue: boolean;
  /** By rule: since when it required the course, until when, and again. */
  readonly rules: Readonly<Record<string, Timeline>>;
  readonly completedOn: string | null;
  readonly courseVersion: number | null;
  readonly certificate: Certificate | null;
  /** Expiry of the last certificate, also when that has expired. */
  readonly lastExpiresOn: string | null;
}

const initialState: Enrollment = {
  status: 'none',
  isOwn: false,
  ownDueOn: null,
  dueOn: null,
  isStarted: false,
  isReminded: false,
  isOverdue: false,
  rules: {},
  completedOn: null,
  courseVersion: null,
  certificate: null,
  lastExpiresOn: null,
};

interface PersonAndCourse {
  person: string;
  course: string;
}

export interface EnrollmentCommandData {
  EnrollLearner: PersonAndCourse & {
    dueOn?: string;
    reason?: { kind: 'manual' | 'self' };
    /** Looked up at the door. */
    isRetired?: boolean;
  };
  ApplyRequirement: PersonAndCourse & { rule: string; periods: readonly Period[]; cause: string };
  MoveDueDate: PersonAndCourse & { dueOn?: string | null; reason: string };
  ExemptLearner: PersonAndCourse & { reason: string; approver: string };
  WithdrawLearner: PersonAndCourse & { reason?: Exclude<WithdrawalReason, { kind: 'not-required' }> };
  StartEnrollment: PersonAndCourse;
  CompleteEnrollment: PersonAndCourse & {
    result?: string;
    attempt?: string;
    /** Looked up at the door. */
    courseVersion?: number | null;
    validity?: Validity;
  };
  FailEnrollment: PersonAndCourse & { result?: string };
  RemindLearner: PersonAndCourse & { dueOn: string };
  MarkOverdue: PersonAndCourse & { dueOn: string };
  OpenRenewal: PersonAndCourse & { expiresOn: string };
  ExpireCertification: PersonAndCourse & { expiresOn: string };
  SupersedeEnrollment: PersonAndCourse & { courseVersion: number; dueOn?: string };
}

export type EnrollmentCommand = {
  [Type in keyof EnrollmentCommandData]: Command<Type, EnrollmentCommandData[Type]>;
}[keyof EnrollmentCommandData];

/** One enrollment per person and course, so uniqueness needs no lookup. Course ids are unique within a tenant, person ids everywhere. */
export function enrollmentIdOf(person: string, course: string): string {
  return derivedId('enrollment', person, course);
}

function decide(command: EnrollmentCommand, state: Enrollment): readonly EnrollmentEvent[] {
  const { person, course } = command.data;
  const { status } = state;
  const enrolled = { enrollment: enrollmentIdOf(person, course), person, course };
  const today = dayOf(command.at);
  switch (command.type) {
    case 'EnrollLearner': {
      if (status === 'open' || status === 'completed' || status === 'exempted') return [];
      const { reason = { kind: 'manual' }, dueOn = null, isRetired = false } = command.data;
      if (isRetired)
        throw new DomainError('course-retired', `The course ${course} is retired: publish it again first.`);
      return [enrolledNow(enrolled, reason, dueOn, today)];
    }
    case 'ApplyRequirement':
      return decideRequirement(enrolled, command.data, state);
    case 'MoveDueDate': {
      refuseUnlessOpen(status);
      const { dueOn = null, reason } = command.data;
      return dueOn === state.dueOn ? [] : [{ type: 'DueDateMoved', data: { ...enrolled, dueOn, reason } }];
    }
    case 'ExemptLearner': {
      if (status === 'exempted') return [];
      if (status === 'completed') refuseUnlessOpen(status);
      const { reason, approver } = command.data;
      if (approver === person)
        throw new DomainError('own-approval', 'Nobody approves their own exemption: name somebody else.');
      return [{ type: 'LearnerExempted', data: { ...enrolled, reason, approver } }];
    }
    case 'WithdrawLearner': {
      // Of somebody who is certified, only the renewal can be withdrawn.
      if (status === 'withdrawn' || (status === 'completed' && state.certificate)) return [];
      refuseUnlessOpen(status);
      const { reason = { kind: 'manual' } } = command.data;
      return [
        {
          type: 'LearnerWithdrawn',
          data: { ...enrolled, reason, certified: state.certificate !== null, effectiveOn: today },
        },
      ];
    }
    case 'StartEnrollment':
      if (state.isStarted) return [];
      refuseUnlessOpen(status);
      return [{ type: 'EnrollmentStarted', data: enrolled }];
    case 'CompleteEnrollment':
      return decideCompletion(enrolled, command.data, today, state);
    case 'FailEnrollment':
      if (status === 'failed') return [];
      refuseUnlessOpen(status);
      return [{ type: 'EnrollmentFailed', data: { ...enrolled, result: command.data.result ?? null } }];
    case 'RemindLearner': {
      const { dueOn } = command.data;
      if (status !== 'open' || state.isReminded || state.dueOn !== dueOn || today > dueOn) return [];
      return [{ type: 'LearnerReminded', data: { ...enrolled, dueOn } }];
    }
    case 'MarkOverdue': {
      const { dueOn } = command.data;
      if (status !== 'open' || state.isOverdue || state.dueOn !== dueOn || today <= dueOn) return [];
      return [{ type: 'EnrollmentBecameOverdue', data: { ...enrolled, dueOn } }];
    }
    case 'OpenRenewal': {
      const { expiresOn } = command.data;
      const policy = policyOf(state);
      const isLast = state.lastExpiresOn === expiresOn && (status === 'completed' || status === 'expired');
      if (!policy || !isLast || today < addDays(expiresOn, -policy.opensDaysBefore)) return [];
      return [enrolledNow(enrolled, { kind: 'recertification', expiresOn }, expiresOn, today, policy)];
    }
    case 'ExpireCertification': {
      const { expiresOn } = command.data;
      if (state.certificate?.expiresOn !== expiresOn || today <= expiresOn) return [];
      return [{ type: 'CertificationExpired', data: { ...enrolled, expiresOn, open: status === 'open' } }];
    }
    case 'SupersedeEnrollment': {
      const { courseVersion, dueOn = null } = command.data;
      const isOlder = state.courseVersion === null || state.courseVersion < courseVersion;
      if ((status !== 'completed' && status !== 'expired') || !isOlder) return [];
      return [{ type: 'EnrollmentSuperseded', data: { ...enrolled, courseVersion, dueOn } }];
    }
    default:
      return unreachable(command);
  }
}

type Enrolled = PersonAndCourse & { enrollment: string };

function enrolledNow(
  enrolled: Enrolled,
  reason: EnrollmentReason,
  dueOn: string | null,
  effectiveOn: string,
  recertification: Recertification | null = null,
): EnrollmentEvent {
  return {
    type: 'LearnerEnrolled',
    data: { ...enrolled, reason, dueOn, ruleDueOn: null, recertification, effectiveOn },
  };
}

function decideCompletion(
  enrolled: Enrolled,
  data: EnrollmentCommandData['CompleteEnrollment'],
  today: string,
  state: Enrollment,
): readonly EnrollmentEvent[] {
  const { status, certificate, lastExpiresOn } = state;
  const { result = null, attempt = null, courseVersion = null, validity = { kind: 'unlimited' } } = data;
  if (status === 'completed') {
    if (!certificate?.renewalOpensOn || today === state.completedOn) return [];
    if (today < certificate.renewalOpensOn) {
      throw new DomainError(
        'renewal-not-open',
        `The certificate counts until ${certificate.expiresOn}: a renewal may be earned from ${certificate.renewalOpensOn} on.`,
      );
    }
  } else if (status !== 'expired' && status !== 'exempted') refuseUnlessOpen(status);

  const completed: EnrollmentEvent = {
    type: 'EnrollmentCompleted',
    data: { ...enrolled, result, courseVersion, attempt },
  };
  const earned = certificateOf(validity, today, lastExpiresOn, policyOf(state));
  if (!earned) return [completed];
  if (lastExpiresOn === null)
    return [completed, { type: 'LearnerCertified', data: { ...enrolled, certifiedOn: today, ...earned } }];
  const renewed = { ...enrolled, certifiedOn: today, ...earned, previousExpiresOn: lastExpiresOn };
  return [completed, { type: 'CertificationRenewed', data: renewed }];
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
    case 'exempted':
      throw new DomainError('enrollment-exempted', 'The person is exempted from this course.');
    case 'expired':
      throw new DomainError('certification-expired', 'The certificate has expired: enrol the person again first.');
    default:
      unreachable(status);
  }
}

/** How the rules that require the course now want its certificate kept up: the first that says so, in the order of their names. */
function policyOf({ rules }: Enrollment): Recertification | null {
  for (const rule of Object.keys(rules).sort()) {
    const policy = rules[rule]!.at(-1)?.terms?.recertification;
    if (policy) return policy;
  }
  return null;
}

function evolve(state: Enrollment, event: EnrollmentEvent): Enrollment {
  switch (event.type) {
    case 'LearnerEnrolled': {
      const { reason, dueOn, ruleDueOn, recertification, effectiveOn: on } = event.data;
      const open: Enrollment = {
        ...state,
        status: 'open',
        dueOn,
        isStarted: false,
        isReminded: false,
        isOverdue: false,
      };
      if (reason.kind === 'recertification') return open;
      if (reason.kind !== 'rule') return { ...open, isOwn: true, ownDueOn: dueOn };
      const { rule, ruleVersion, cause } = reason;
      return withRule(open, rule, on, { ruleVersion, dueOn: ruleDueOn, recertification }, cause);
    }
    case 'RequirementAdded': {
      const { reason, dueOn, ruleDueOn, recertification, effectiveOn: on } = event.data;
      const { rule, ruleVersion, cause } = reason;
      const terms = { ruleVersion, dueOn: ruleDueOn, recertification };
      return withRule(withDue(state, event.data.open, dueOn), rule, on, terms, cause);
    }
    case 'RequirementEnded': {
      const { rule, cause, dueOn, open, effectiveOn } = event.data;
      return withRule(withDue(state, open, dueOn), rule, effectiveOn, null, cause);
    }
    case 'DueDateMoved':
      return { ...state, dueOn: event.data.dueOn, isReminded: false, isOverdue: false };
    case 'LearnerExempted':
      return { ...state, status: 'exempted', isOwn: false };
    case 'LearnerWithdrawn': {
      const { reason, certified, effectiveOn } = event.data;
      const withdrawn: Enrollment = { ...state, status: certified ? 'completed' : 'withdrawn', isOwn: false };
      if (reason.kind !== 'not-required') return withdrawn;
      return withRule(withdrawn, reason.rule, effectiveOn, null, reason.cause);
    }
    case 'EnrollmentStarted':
      return { ...state, isStarted: true };
    case 'EnrollmentCompleted': {
      const { courseVersion } = event.data;
      // A certificate follows, unless the course's pass counts for ever now: then the old one has no end to be renewed before.
      return { ...state, status: 'completed', isOwn: false, courseVersion, certificate: null, lastExpiresOn: null };
    }
    case 'EnrollmentFailed':
      return { ...state, status: 'failed', isOwn: false };
    case 'LearnerReminded':
      return { ...state, isReminded: true };
    case 'EnrollmentBecameOverdue':
      return { ...state, isOverdue: true };
    case 'LearnerCertified':
    case 'CertificationRenewed': {
      const { expiresOn, renewalOpensOn, certifiedOn } = event.data;
      return {
        ...state,
        completedOn: certifiedOn,
        certificate: { expiresOn, renewalOpensOn },
        lastExpiresOn: expiresOn,
      };
    }
    case 'CertificationExpired':
      return { ...state, status: event.data.open ? state.status : 'expired', certificate: null };
    case 'EnrollmentSuperseded': {
      const { dueOn } = event.data;
      const isOwn = !Object.values(state.rules).some((timeline) => timeline.at(-1)?.terms);
      const open = {
        status: 'open',
        isOwn,
        ownDueOn: dueOn,
        dueOn,
        isStarted: false,
        isReminded: false,
        isOverdue: false,
      } as const;
      return { ...state, ...open, certificate: null, lastExpiresOn: null };
    }
    default:
      return unreachable(event);
  }
}

function withDue(state: Enrollment, isOpen: boolean, dueOn: string | null): Enrollment {
  const status = isOpen ? 'open' : state.status;
  return dueOn === state.dueOn
    ? { ...state, status }
    : { ...state, status, dueOn, isReminded: false, isOverdue: false };
}

function withRule(
  state: Enrollment,
  rule: string,
  on: string,
  terms: Timeline[number]['terms'],
  cause: string,
): Enrollment {
  return { ...state, rules: { ...state.rules, [rule]: withBoundary(state.rules[rule] ?? [], { on, terms, cause }) } };
}

export const enrollmentDecider: Decider<Enrollment, EnrollmentCommand, EnrollmentEvent> = {
  category: 'enrollment',
  initialState,
  id: ({ data }) => enrollmentIdOf(data.person, data.course),
  decide,
  evolve,
  opens: ['EnrollLearner', 'ApplyRequirement'],
};
