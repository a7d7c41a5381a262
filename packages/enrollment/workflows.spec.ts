import { type DomainEvent, type RecordedEvent } from '../eventsourcing';
import { givenWorkflow, recorded } from '../eventsourcing/testing';
import { assignment } from './assignment.workflow';
import { whenAssignedThenNotify } from './when-assigned-then-notify.workflow';
import { whenAttemptPassedThenComplete } from './when-attempt-passed-then-complete.workflow';
import { whenCertificateExpiresThenRecertify } from './when-certificate-expires-then-recertify.workflow';
import { whenPersonLeavesThenClose } from './when-person-leaves-then-close.workflow';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const enrollment = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';
const course = 'leadership-level-1';
const enrolled = { enrollment, person, course };

/** The events in the order of the log, each as if it happened on the day that it says, or today. */
function log<E extends DomainEvent>(...events: { type: E['type']; data: object; on?: string }[]): RecordedEvent<E>[] {
  return events.map(({ type, data, on }, index) => {
    const day = on ?? (data as { effectiveOn?: string }).effectiveOn ?? '2026-03-01';
    const at = { category: 'x', id: '1', position: index + 1, occurredAt: `${day}T00:00:00.000Z` };
    return recorded({ type, data } as unknown as E, at);
  });
}

const rule = {
  rule: 'leaders',
  version: 3,
  audience: { anyOf: [{ roles: ['technique-leader'], orgUnits: null }] },
  courses: [course],
  due: { kind: 'in-days', days: 30 },
  recertification: null,
  effectiveOn: '2000-01-01',
};
const published = { type: 'AssignmentRulePublished' as const, data: rule };
const hired = {
  type: 'PersonHired' as const,
  data: { person, role: 'engineer', orgUnit: 'd005', effectiveOn: '2020-01-01' },
};
const promoted = {
  type: 'RoleChanged' as const,
  data: { person, role: 'technique-leader', effectiveOn: '2026-03-01' },
};

describe('when a role changes', () => {
  it('then what the rules require of it is assigned, with rule, version, cause and due date', () => {
    expect(givenWorkflow(assignment, log(published, hired, promoted)).commands).toEqual([
      {
        reaction: 'when-role-changed-then-assign',
        type: 'ApplyRequirement',
        at: '2026-03-01T00:00:00.000Z',
        data: {
          person,
          course,
          rule: 'leaders',
          cause: 'event-3',
          periods: [
            {
              from: '2026-03-01',
              until: null,
              ruleVersion: 3,
              cause: 'event-3',
              endCause: null,
              dueOn: '2026-03-31',
              recertification: null,
            },
          ],
        },
      },
    ]);
  });

  it('then nothing is asked that was asked already', () => {
    expect(givenWorkflow(assignment, log(published, hired, promoted, promoted)).commands).toEqual([]);
  });

  it('then a fact that comes late changes the past as of its day', () => {
    const away = { type: 'RoleChanged' as const, data: { person, role: 'engineer', effectiveOn: '2026-02-15' } };
    const early = { ...promoted, data: { ...promoted.data, effectiveOn: '2026-02-01' } };
    const { commands } = givenWorkflow(assignment, log(published, hired, promoted, early, away));
    expect(commands).toMatchObject([
      {
        data: {
          periods: [
            { from: '2026-02-01', until: '2026-02-15' },
            { from: '2026-03-01', until: null },
          ],
        },
      },
    ]);
  });

  it('then a role that is known before the hire asks nothing until the hire is', () => {
    expect(givenWorkflow(assignment, log(published, promoted)).commands).toEqual([]);
    expect(givenWorkflow(assignment, log(published, promoted, hired)).commands).toMatchObject([
      { data: { periods: [{ from: '2026-03-01', cause: 'event-2' }] } },
    ]);
  });

  it('then of two facts of one day the departure and the role change win over the hire, in either order', () => {
    const joined = { ...hired, data: { ...hired.data, effectiveOn: '2026-03-01' } };
    const left = { type: 'PersonTerminated' as const, data: { person, effectiveOn: '2026-03-01' } };
    for (const facts of [[joined, promoted], [promoted, joined]]) {
      expect(givenWorkflow(assignment, log(published, ...facts)).commands).toHaveLength(1);
    }
    expect(givenWorkflow(assignment, log(published, left, promoted, joined)).commands).toEqual([]);
  }); // prettier-ignore
});

describe('when a rule is published', () => {
  it('then everybody whom it touches is assigned, from the day on which it takes effect', () => {
    const young = { ...published, data: { ...rule, effectiveOn: '2026-04-01' } };
    const other = { ...hired, data: { ...hired.data, person: 'somebody-else' } };
    expect(givenWorkflow(assignment, log(hired, other, promoted, young)).commands).toMatchObject([
      {
        reaction: 'when-rule-published-then-assign',
        data: { person, periods: [{ from: '2026-04-01', dueOn: '2026-05-01', cause: 'event-4' }] },
      },
    ]);
  });

  it('then a retirement ends what it required', () => {
    const retired = { type: 'AssignmentRuleRetired' as const, data: { rule: 'leaders', version: 3, effectiveOn: '2026-06-01' } };
    expect(givenWorkflow(assignment, log(published, hired, promoted, retired)).commands).toMatchObject([
      { data: { periods: [{ from: '2026-03-01', until: '2026-06-01', endCause: 'event-4' }] } },
    ]);
  }); // prettier-ignore
});

describe('when an attempt is passed', () => {
  const offered = { type: 'CoursePublished' as const, data: { course, assessment: 'final' } };
  const taken = (assessment: string, grade: object | null) => ({
    type: 'AttemptGraded' as const,
    data: { attempt: 'a1', person, course, assessment, grade },
  });

  it('then the course is completed if it says that this assessment completes it', () => {
    const { commands } = givenWorkflow(
      whenAttemptPassedThenComplete,
      log(offered, taken('final', { passed: true })) as never,
    );
    expect(commands).toMatchObject([
      { type: 'CompleteEnrollment', data: { person, course, attempt: 'a1', result: 'passed' } },
    ]);
  });

  it.each([
    ['another assessment', 'quiz', { passed: true }],
    ['a failure', 'final', { passed: false }],
    ['no grade yet', 'final', null],
  ])('then %s completes nothing', (_what, assessment, grade) => {
    expect(givenWorkflow(whenAttemptPassedThenComplete, log(offered, taken(assessment, grade)) as never).commands).toEqual([]);
  }); // prettier-ignore
});

describe('when a certificate expires', () => {
  it('then it is to be earned again', () => {
    const expired = { type: 'CertificationExpired' as const, data: { ...enrolled, expiresOn: '2026-02-28' } };
    expect(givenWorkflow(whenCertificateExpiresThenRecertify, log(expired)).commands).toMatchObject([
      { type: 'OpenRenewal', data: { person, course, expiresOn: '2026-02-28' } },
    ]);
  });
});

describe('when a person leaves', () => {
  const assigned = (kind: string, of = course) => ({
    type: 'LearnerEnrolled' as const,
    data: { ...enrolled, course: of, reason: { kind }, dueOn: null, recertification: null, effectiveOn: '2026-01-01' },
  });
  const left = { type: 'PersonTerminated' as const, data: { person, effectiveOn: '2026-03-01' } };

  it('then what is open is closed; what rules required they end themselves, and what is over stays', () => {
    const done = { type: 'EnrollmentCompleted' as const, data: { ...enrolled, course: 'done' } };
    const events = log(hired, assigned('rule', 'ruled'), assigned('manual'), assigned('self', 'done'), done, left);
    expect(givenWorkflow(whenPersonLeavesThenClose, events as never).commands).toMatchObject([
      { type: 'WithdrawLearner', data: { person, course, reason: { kind: 'left', cause: 'event-6' } } },
    ]);
  });

  it('then nothing is closed when they have come back before the news was known', () => {
    const back = { type: 'PersonRehired' as const, data: { ...hired.data, effectiveOn: '2026-04-01' } };
    const events = log(hired, back, assigned('manual'), left);
    expect(givenWorkflow(whenPersonLeavesThenClose, events as never).commands).toEqual([]);
  });
});

describe('when somebody is assigned', () => {
  const assigned = {
    type: 'LearnerEnrolled' as const,
    data: { ...enrolled, reason: { kind: 'manual' }, dueOn: '2026-03-31', recertification: null, effectiveOn: '2026-03-01' },
  }; // prettier-ignore

  it.each([
    ['an assignment', assigned, 'assigned', '2026-03-31'],
    ['one without a due date', { ...assigned, data: { ...assigned.data, dueOn: null } }, 'assigned', '2026-03-01'],
    ['a renewal', { ...assigned, data: { ...assigned.data, reason: { kind: 'recertification' } } }, 'expiring', '2026-03-31'],
    ['what is due soon', { type: 'LearnerReminded', data: { ...enrolled, dueOn: '2026-03-08' } }, 'due-soon', '2026-03-08'],
    ['what is overdue', { type: 'EnrollmentBecameOverdue', data: { ...enrolled, dueOn: '2026-02-28' } }, 'overdue', '2026-02-28'],
    ['a certificate that expired', { type: 'CertificationExpired', data: { ...enrolled, expiresOn: '2026-02-27' } }, 'expired', '2026-02-27'],
  ])('then they are told of %s', (_what, event, stage, item) => {
    const { commands } = givenWorkflow(whenAssignedThenNotify, log(event as never));
    expect(commands).toMatchObject([
      { type: 'RequestNotification', data: { person, enrollment, course, stage, item, cause: 'event-1' } },
    ]);
  }); // prettier-ignore

  it('then nobody is told of what is long past', () => {
    const [event] = log({ ...assigned, on: '2026-01-29' });
    const late = { ...event!, recordedAt: '2026-03-01T00:00:00.000Z' };
    expect(givenWorkflow(whenAssignedThenNotify, [late as never]).commands).toEqual([]);
  });
});
