import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { givenProjection, recorded } from '../../packages/eventsourcing/testing';
import { deadlines } from './deadlines';

const of = { enrollment: 'e', person: 'p', course: 'safety' };
const asked = { ruleDueOn: null, recertification: null };
const enrolled = (dueOn: string | null, effectiveOn = '2026-03-01'): EnrollmentEvent => ({
  type: 'LearnerEnrolled',
  data: { ...of, ...asked, reason: { kind: 'manual' }, dueOn, effectiveOn },
});
const completed: EnrollmentEvent = {
  type: 'EnrollmentCompleted',
  data: { ...of, result: null, courseVersion: 1, attempt: null },
};
const certified: EnrollmentEvent = {
  type: 'LearnerCertified',
  data: { ...of, certifiedOn: '2026-03-10', expiresOn: '2027-03-10', renewalOpensOn: '2027-02-08' },
};
const renewal: EnrollmentEvent = {
  type: 'LearnerEnrolled',
  data: { ...of, ...asked, reason: { kind: 'recertification', expiresOn: '2027-03-10' }, dueOn: '2027-03-10', effectiveOn: '2027-02-08' },
}; // prettier-ignore

/** The deadlines as `<day> <command>`; undefined where no document is left. */
function after(...events: EnrollmentEvent[]) {
  const log = events.map((event, index) => recorded(event, { category: 'enrollment', id: 'e', position: index + 1 }));
  const fold = givenProjection(deadlines, log);
  return {
    then: (...expected: string[]): void => {
      const days = expected.map((line) => `${line.slice(0, 10)}T00:00:00.000Z`);
      const listed = expected.map((line, index) => {
        const command = expect.objectContaining({ type: line.slice(11) }) as object;
        return expect.objectContaining({ at: days[index], command }) as object;
      });
      const document = expect.objectContaining({ next: days.sort()[0] ?? null, deadlines: listed }) as never;
      fold.thenDocument('e', document);
    },
    thenNone: (): void => fold.thenDocument('e', undefined),
  };
}

describe('deadlines', () => {
  it('are a reminder a week before something is due, and the day after', () => {
    after(enrolled('2026-03-31')).then('2026-03-24 RemindLearner', '2026-04-01 MarkOverdue');
    after(enrolled('2026-03-05')).then('2026-03-06 MarkOverdue');
    after(enrolled(null)).then();
  });

  it('vanish one by one with what came of them, and come back with another due date', () => {
    const reminded: EnrollmentEvent = { type: 'LearnerReminded', data: { ...of, dueOn: '2026-03-31' } };
    const late: EnrollmentEvent = { type: 'EnrollmentBecameOverdue', data: { ...of, dueOn: '2026-03-31' } };
    const moved: EnrollmentEvent = { type: 'DueDateMoved', data: { ...of, dueOn: '2026-05-31', reason: 'Leave' } };
    after(enrolled('2026-03-31'), reminded).then('2026-04-01 MarkOverdue');
    after(enrolled('2026-03-31'), reminded, late).then();
    after(enrolled('2026-03-31'), reminded, late, moved).then('2026-05-24 RemindLearner', '2026-06-01 MarkOverdue');
    after(enrolled('2026-03-31'), completed).thenNone();
  });

  it('are the opening of a renewal and the expiry of a certificate', () => {
    after(enrolled(null), completed, certified).then('2027-02-08 OpenRenewal', '2027-03-11 ExpireCertification');
    after(enrolled(null), completed, certified, renewal).then(
      '2027-03-03 RemindLearner',
      '2027-03-11 MarkOverdue',
      '2027-03-11 ExpireCertification',
    );
    const expired: EnrollmentEvent = { type: 'CertificationExpired', data: { ...of, expiresOn: '2027-03-10', open: false } };
    after(enrolled(null), completed, certified, expired).thenNone();
  }); // prettier-ignore

  it('end an attempt right after its answers no longer count', () => {
    const attempt = { attempt: 'a', person: 'p', course: 'safety', assessment: 'quiz' };
    const started = {
      type: 'AttemptStarted' as const,
      data: { ...attempt, number: 2, assessmentVersion: 1, seed: 1, form: [], passMark: 1, endsAt: null, closesAt: '2026-03-01T10:00:00.000Z' },
    };
    const at = (position: number) => ({ category: 'attempt', id: 'a', position });
    givenProjection(deadlines, [recorded(started, at(1))]).thenDocument('a', {
      _id: 'a',
      tenant: 'acme',
      kind: 'attempt',
      next: '2026-03-01T10:00:00.001Z',
      deadlines: [
        {
          at: '2026-03-01T10:00:00.001Z',
          until: null,
          command: { type: 'TimeOutAttempt', data: { person: 'p', assessment: 'quiz', number: 2 } },
        },
      ],
    });
    const submitted = { type: 'AttemptSubmitted' as const, data: attempt };
    givenProjection(deadlines, [recorded(started, at(1)), recorded(submitted, at(2))]).thenDocument('a', undefined);
  }); // prettier-ignore
});
