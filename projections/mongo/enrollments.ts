import type { Db } from 'mongodb';
import type { EnrollmentEvent, EnrollmentReason } from '../../packages/enrollment/enrollment.events';
import type { Document, Projection, Recorded } from '../../packages/eventsourcing';
import { type Answer, findOne, findPage, given, type Page } from './collection';
import { dueAfter, CERTIFICATE_EVENTS, type EnrollmentStatus, STANDING_EVENTS, statusAfter } from './enrollment-status';

export interface EnrollmentDocument extends Document {
  readonly person: string;
  readonly course: string;
  readonly status: EnrollmentStatus;
  /** Why it was begun last. */
  readonly reason: EnrollmentReason | null;
  /** The rules that require it now. */
  readonly rules: readonly string[];
  readonly enrolledAt: string | null;
  readonly startedAt: string | null;
  readonly dueOn: string | null;
  readonly overdue: boolean;
  readonly endedAt: string | null;
  readonly result: string | null;
  readonly exemption: { readonly reason: string; readonly approver: string } | null;
  readonly certificate: {
    readonly certifiedOn: string;
    readonly expiresOn: string;
    readonly renewalOpensOn: string | null;
  } | null;
}

/** Each enrollment as it stands now. */
export const enrollments: Projection<EnrollmentDocument, EnrollmentEvent> = {
  name: 'enrollments',
  version: 3,
  handles: [...STANDING_EVENTS, ...CERTIFICATE_EVENTS, 'EnrollmentStarted', 'EnrollmentBecameOverdue'],
  key: ({ data }) => data.enrollment,
  evolve: (document, event) => {
    const { type, data, metadata } = event;
    const before = document ?? newEnrollment(event);
    const status = statusAfter(before.status, event);
    const dueOn = dueAfter(before.dueOn, event);
    const isOver = status !== 'open';
    const after: EnrollmentDocument = {
      ...before,
      status,
      dueOn,
      rules: rulesAfter(before.rules, event),
      overdue: before.overdue && !isOver && dueOn === before.dueOn,
      endedAt: !isOver ? null : status === before.status && document ? before.endedAt : metadata.occurredAt,
    };
    switch (type) {
      case 'LearnerEnrolled':
        return {
          ...after,
          reason: data.reason,
          enrolledAt: metadata.occurredAt,
          startedAt: null,
          overdue: false,
          result: null,
        };
      case 'LearnerExempted':
        return { ...after, exemption: { reason: data.reason, approver: data.approver } };
      case 'EnrollmentStarted':
        return { ...after, startedAt: metadata.occurredAt };
      case 'EnrollmentCompleted':
        return { ...after, endedAt: metadata.occurredAt, result: data.result, certificate: null };
      case 'EnrollmentFailed':
        return { ...after, result: data.result };
      case 'EnrollmentBecameOverdue':
        return { ...after, overdue: status === 'open' };
      case 'LearnerCertified':
      case 'CertificationRenewed': {
        const { certifiedOn, expiresOn, renewalOpensOn } = data;
        return { ...after, certificate: { certifiedOn, expiresOn, renewalOpensOn } };
      }
      case 'CertificationExpired':
        return { ...after, certificate: null };
      case 'EnrollmentSuperseded':
        return { ...after, startedAt: null, overdue: false, result: null, certificate: null };
      default:
        return after;
    }
  },
  indexes: [{ key: { tenant: 1, person: 1 } }, { key: { tenant: 1, course: 1 } }],
};

/** Whatever comes first begins the document; as of an early date that may be the end of what began before. */
function newEnrollment({ data, metadata }: Recorded<EnrollmentEvent>): EnrollmentDocument {
  return {
    _id: data.enrollment,
    tenant: metadata.tenant,
    person: data.person,
    course: data.course,
    status: 'withdrawn',
    reason: null,
    rules: [],
    enrolledAt: null,
    startedAt: null,
    dueOn: null,
    overdue: false,
    endedAt: null,
    result: null,
    exemption: null,
    certificate: null,
  };
}

function rulesAfter(rules: readonly string[], event: EnrollmentEvent): readonly string[] {
  const having = (rule: string): readonly string[] => (rules.includes(rule) ? rules : [...rules, rule].sort());
  const without = (rule: string): readonly string[] => rules.filter((each) => each !== rule);
  switch (event.type) {
    case 'LearnerEnrolled':
    case 'RequirementAdded':
      return event.data.reason.kind === 'rule' ? having(event.data.reason.rule) : rules;
    case 'RequirementEnded':
      return without(event.data.rule);
    case 'LearnerWithdrawn':
      return event.data.reason.kind === 'not-required' ? without(event.data.reason.rule) : rules;
    default:
      return rules;
  }
}

export function findEnrollment(db: Db, tenant: string, id: string): Promise<Answer<EnrollmentDocument> | undefined> {
  return findOne(db, enrollments, tenant, id);
}

export interface EnrollmentFilter {
  readonly person?: string | undefined;
  readonly course?: string | undefined;
}

export function findEnrollments(
  db: Db,
  tenant: string,
  filter: EnrollmentFilter,
  page: Page,
): Promise<Answer<EnrollmentDocument>[]> {
  return findPage(db, enrollments, given({ tenant, ...filter }), page);
}
