import { given } from '../eventsourcing/testing';
import { enrollmentDecider, enrollmentIdOf } from './enrollment.decider';
import type { EnrollmentEvent, Recertification } from './enrollment.events';

const at = '2026-03-01T09:30:00.000Z';
const on = '2026-03-01';
const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const approver = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';
const course = 'leadership-level-1';
const to = { person, course };
const of = { enrollment: enrollmentIdOf(person, course), ...to };

const enrolled: EnrollmentEvent = {
  type: 'LearnerEnrolled',
  data: { ...of, reason: { kind: 'manual' }, dueOn: null, ruleDueOn: null, recertification: null, effectiveOn: on },
};
const due: EnrollmentEvent = { ...enrolled, data: { ...enrolled.data, dueOn: '2026-03-31' } };
const withdrawn: EnrollmentEvent = {
  type: 'LearnerWithdrawn',
  data: { ...of, reason: { kind: 'manual' }, certified: false, effectiveOn: on },
};
const completed: EnrollmentEvent = {
  type: 'EnrollmentCompleted',
  data: { ...of, result: 'Pass', courseVersion: null, attempt: null },
};
const failed: EnrollmentEvent = { type: 'EnrollmentFailed', data: { ...of, result: null } };
const exempted: EnrollmentEvent = { type: 'LearnerExempted', data: { ...of, reason: 'Certified elsewhere', approver } };
const overdue: EnrollmentEvent = { type: 'EnrollmentBecameOverdue', data: { ...of, dueOn: '2026-03-31' } };

const enroll = { type: 'EnrollLearner', at, data: to } as const;
const withdraw = { type: 'WithdrawLearner', at, data: to } as const;
const complete = { type: 'CompleteEnrollment', at, data: { ...to, result: 'Pass' } } as const;
const fail = { type: 'FailEnrollment', at, data: to } as const;

describe('an enrollment', () => {
  it('begins', () => given(enrollmentDecider).when(enroll).then(enrolled));
  it('begins again after a withdrawal', () => given(enrollmentDecider, [enrolled, withdrawn]).when(enroll).then(enrolled));
  it('begins again after a failure', () => given(enrollmentDecider, [enrolled, failed]).when(enroll).then(enrolled));
  it('that was completed is not begun again', () => given(enrollmentDecider, [enrolled, completed]).when(enroll).thenNothing());
  it('of an exempted person is not begun', () => given(enrollmentDecider, [exempted]).when(enroll).thenNothing());
  it('in a retired course does not begin', () =>
    given(enrollmentDecider).when({ ...enroll, data: { ...to, isRetired: true } }).thenRefused('course-retired'));

  it('is started', () =>
    given(enrollmentDecider, [enrolled]).when({ type: 'StartEnrollment', at, data: to }).then({ type: 'EnrollmentStarted', data: of }));
  it('is withdrawn', () => given(enrollmentDecider, [enrolled]).when(withdraw).then(withdrawn));
  it('is completed', () => given(enrollmentDecider, [enrolled]).when(complete).then(completed));
  it('fails', () => given(enrollmentDecider, [enrolled]).when(fail).then(failed));

  it('is withdrawn from whoever leaves', () => {
    const reason = { kind: 'left', cause: approver } as const;
    given(enrollmentDecider, [enrolled])
      .when({ ...withdraw, data: { ...to, reason } })
      .then({ type: 'LearnerWithdrawn', data: { ...of, reason, certified: false, effectiveOn: on } });
  });

  it.each([
    ['never begun', [], 'not-enrolled'],
    ['withdrawn', [enrolled, withdrawn], 'enrollment-withdrawn'],
    ['failed', [enrolled, failed], 'enrollment-failed'],
  ] as const)('that was %s is not completed', (_, history, code) => {
    given(enrollmentDecider, history).when(complete).thenRefused(code);
  });

  it('that was completed is neither withdrawn, nor failed, nor moved, nor exempted', () => {
    const over = given(enrollmentDecider, [enrolled, completed]);
    over.when(withdraw).thenRefused('enrollment-completed');
    over.when(fail).thenRefused('enrollment-completed');
    over.when({ type: 'MoveDueDate', at, data: { ...to, dueOn: '2026-05-01', reason: 'Leave' } }).thenRefused('enrollment-completed');
    over.when({ type: 'ExemptLearner', at, data: { ...to, reason: 'x', approver } }).thenRefused('enrollment-completed');
  });

  it('is exempted with reason and approver, who is somebody else; and can still be completed', () => {
    const exempt = { type: 'ExemptLearner', at, data: { ...to, reason: 'Certified elsewhere', approver } } as const;
    given(enrollmentDecider, [enrolled]).when(exempt).then(exempted);
    given(enrollmentDecider).when(exempt).then(exempted);
    given(enrollmentDecider).when({ ...exempt, data: { ...exempt.data, approver: person } }).thenRefused('own-approval');
    given(enrollmentDecider, [exempted]).when(withdraw).thenRefused('enrollment-exempted');
    given(enrollmentDecider, [exempted]).when(complete).then(completed);
  });

  it('is due on another day, or on none', () => {
    const move = { type: 'MoveDueDate', at, data: { ...to, reason: 'Leave' } } as const;
    given(enrollmentDecider, [due]).when(move).then({ type: 'DueDateMoved', data: { ...of, dueOn: null, reason: 'Leave' } });
    given(enrollmentDecider, [enrolled]).when(move).thenNothing();
  });
}); // prettier-ignore

describe('the clock of an enrollment', () => {
  const remind = { type: 'RemindLearner', at: '2026-03-24T00:00:00.000Z', data: { ...to, dueOn: '2026-03-31' } } as const;
  const mark = { type: 'MarkOverdue', at: '2026-04-01T00:00:00.000Z', data: { ...to, dueOn: '2026-03-31' } } as const;
  const reminded: EnrollmentEvent = { type: 'LearnerReminded', data: { ...of, dueOn: '2026-03-31' } };
  const moved: EnrollmentEvent = { type: 'DueDateMoved', data: { ...of, dueOn: '2026-05-31', reason: 'Leave' } };

  it('reminds once for each due date, while there is time', () => {
    given(enrollmentDecider, [due]).when(remind).then(reminded);
    given(enrollmentDecider, [due]).when({ ...remind, at: mark.at }).thenNothing();
    given(enrollmentDecider, [due, moved]).when(remind).thenNothing();
    const again = { ...remind, data: { ...to, dueOn: '2026-05-31' } };
    given(enrollmentDecider, [due, reminded, moved])
      .when(again)
      .then({ ...reminded, data: { ...of, dueOn: '2026-05-31' } });
  });

  it('finds overdue what is open after its day, once', () => {
    given(enrollmentDecider, [due]).when(mark).then(overdue);
    given(enrollmentDecider, [due]).when({ ...mark, at: '2026-03-31T23:59:59.999Z' }).thenNothing();
    given(enrollmentDecider, [due, completed]).when(mark).thenNothing();
    given(enrollmentDecider, [due, moved]).when(mark).thenNothing();
  });
}); // prettier-ignore

describe('a certificate', () => {
  const policy: Recertification = {
    opensDaysBefore: 30,
    renewsFrom: 'expiry',
    lateRenewsFrom: 'completion',
    alignsNewHiresWithinDays: 0,
  };
  const reason = { kind: 'rule', rule: 'everyone', ruleVersion: 1, cause: approver } as const;
  const ruled: EnrollmentEvent = {
    type: 'LearnerEnrolled',
    data: { ...of, reason, dueOn: null, ruleDueOn: null, recertification: policy, effectiveOn: '2026-01-01' },
  };
  const facts = { courseVersion: 2, validity: { kind: 'days', days: 365 } } as const;
  const pass = (day: string) =>
    ({ type: 'CompleteEnrollment', at: `${day}T12:00:00.000Z`, data: { ...to, ...facts } }) as const;
  const passed: EnrollmentEvent = { ...completed, data: { ...completed.data, result: null, courseVersion: 2 } };
  const certified: EnrollmentEvent = {
    type: 'LearnerCertified',
    data: { ...of, certifiedOn: '2026-03-01', expiresOn: '2027-03-01', renewalOpensOn: '2027-01-30' },
  };
  const renewed: EnrollmentEvent = {
    type: 'CertificationRenewed',
    data: {
      ...of,
      certifiedOn: '2027-02-15',
      expiresOn: '2028-02-29',
      renewalOpensOn: '2028-01-30',
      previousExpiresOn: '2027-03-01',
    },
  };
  const expired: EnrollmentEvent = {
    type: 'CertificationExpired',
    data: { ...of, expiresOn: '2027-03-01', open: false },
  };
  const earned = [ruled, passed, certified];
  const open = { type: 'OpenRenewal', at: '2027-01-30T00:00:00.000Z', data: { ...to, expiresOn: '2027-03-01' } } as const;
  const reopened: EnrollmentEvent = {
    type: 'LearnerEnrolled',
    data: {
      ...of,
      reason: { kind: 'recertification', expiresOn: '2027-03-01' },
      dueOn: '2027-03-01',
      ruleDueOn: null,
      recertification: policy,
      effectiveOn: '2027-01-30',
    },
  };
  const expire = { type: 'ExpireCertification', at: '2027-03-02T00:00:00.000Z', data: { ...to, expiresOn: '2027-03-01' } } as const;

  it('is earned with the completion', () => given(enrollmentDecider, [ruled]).when(pass('2026-03-01')).then(passed, certified));

  it('without a rule that asks for more is not renewed', () => {
    const once = { ...certified, data: { ...certified.data, renewalOpensOn: null } };
    given(enrollmentDecider, [enrolled]).when(pass('2026-03-01')).then(passed, once);
    given(enrollmentDecider, [enrolled, passed, once]).when(pass('2027-02-15')).thenNothing();
  });

  it('is not renewed before its time', () =>
    given(enrollmentDecider, earned).when(pass('2027-01-29')).thenRefused('renewal-not-open'));

  it('is renewed in time, with the renewal opened or not', () => {
    given(enrollmentDecider, earned).when(pass('2027-02-15')).then(passed, renewed);
    given(enrollmentDecider, [...earned, reopened]).when(pass('2027-02-15')).then(passed, renewed);
  });

  it('is to be renewed from its day on, if a rule still asks for it', () => {
    given(enrollmentDecider, earned).when(open).then(reopened);
    given(enrollmentDecider, earned).when({ ...open, at: '2027-01-29T23:59:59.000Z' }).thenNothing();
    given(enrollmentDecider, [...earned, passed, renewed]).when(open).thenNothing();
    const ended: EnrollmentEvent = {
      type: 'RequirementEnded',
      data: { ...of, rule: 'everyone', cause: approver, dueOn: null, open: false, effectiveOn: '2026-06-01' },
    };
    given(enrollmentDecider, [...earned, ended]).when(open).thenNothing();
  });

  it('expires after its last day, and is to be earned again', () => {
    given(enrollmentDecider, earned).when(expire).then(expired);
    given(enrollmentDecider, earned).when({ ...expire, at: '2027-03-01T23:59:59.000Z' }).thenNothing();
    given(enrollmentDecider, [...earned, reopened]).when(expire).then({ ...expired, data: { ...expired.data, open: true } });
    given(enrollmentDecider, [...earned, expired])
      .when({ ...open, at: expire.at })
      .then({ ...reopened, data: { ...reopened.data, effectiveOn: '2027-03-02' } });
    given(enrollmentDecider, [...earned, expired]).when(withdraw).thenRefused('certification-expired');
  });

  it('that expired is earned again late', () =>
    given(enrollmentDecider, [...earned, expired])
      .when(pass('2027-05-01'))
      .then(passed, {
        ...renewed,
        data: { ...renewed.data, certifiedOn: '2027-05-01', expiresOn: '2028-04-30', renewalOpensOn: '2028-03-31' },
      }));

  it('still counts when its renewal is withdrawn', () =>
    given(enrollmentDecider, [...earned, reopened])
      .when({ ...withdraw, at: '2027-02-01T00:00:00.000Z' })
      .then({ ...withdrawn, data: { ...withdrawn.data, certified: true, effectiveOn: '2027-02-01' } }));

  it('gives way to a new version of the course, once', () => {
    const supersede = { type: 'SupersedeEnrollment', at, data: { ...to, courseVersion: 3, dueOn: '2026-12-31' } } as const;
    given(enrollmentDecider, earned)
      .when(supersede)
      .then({ type: 'EnrollmentSuperseded', data: { ...of, courseVersion: 3, dueOn: '2026-12-31' } });
    given(enrollmentDecider, earned).when({ ...supersede, data: { ...supersede.data, courseVersion: 2 } }).thenNothing();
    given(enrollmentDecider, [ruled]).when(supersede).thenNothing();
  });
}); // prettier-ignore
