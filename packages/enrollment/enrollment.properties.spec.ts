/** Laws of an enrollment that hold for whatever is sent to it, in whatever order, on whatever day. */
import fc from 'fast-check';
import { addDays, DomainError, foldEvents, startOf } from '../eventsourcing';
import { type EnrollmentCommand, enrollmentDecider } from './enrollment.decider';
import type { EnrollmentEvent, Recertification } from './enrollment.events';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const of = { person, course: 'safety' };
const RULES = ['everyone', 'leaders'];

/** Few days, so that stories meet the days on which something changes. */
const day = fc.integer({ min: 0, max: 12 }).map((n) => addDays('2026-01-25', n));
const recertification: fc.Arbitrary<Recertification | null> = fc.option(
  fc.record({
    opensDaysBefore: fc.integer({ min: 0, max: 6 }),
    renewsFrom: fc.constantFrom('expiry', 'completion'),
    lateRenewsFrom: fc.constantFrom('expiry', 'completion'),
    alignsNewHiresWithinDays: fc.integer({ min: 0, max: 4 }),
  }),
);
const validity = fc.constantFrom(
  { kind: 'unlimited' } as const,
  { kind: 'days', days: 3 } as const,
  { kind: 'yearly', on: '02-01' } as const,
);
const period = fc
  .tuple(day, fc.option(day), fc.option(day), recertification, fc.integer({ min: 1, max: 2 }), fc.uuid(), fc.uuid())
  .map(([from, until, dueOn, recertification, ruleVersion, cause, endCause]) => {
    const ends = until !== null && until > from ? { until, endCause } : { until: null, endCause: null };
    return { from, ruleVersion, cause, dueOn, recertification, ...ends };
  });

const reason = 'because';
const data: fc.Arbitrary<Pick<EnrollmentCommand, 'type' | 'data'>> = fc.oneof(
  fc.record({ type: fc.constant('EnrollLearner' as const), data: fc.record({ dueOn: day }).map((more) => ({ ...of, ...more })) }),
  fc.record({ type: fc.constant('WithdrawLearner' as const), data: fc.constant(of) }),
  fc.record({ type: fc.constant('StartEnrollment' as const), data: fc.constant(of) }),
  fc.record({ type: fc.constant('FailEnrollment' as const), data: fc.constant(of) }),
  fc.record({ type: fc.constant('ExemptLearner' as const), data: fc.constant({ ...of, reason, approver: 'boss' }) }),
  fc.record({ type: fc.constant('MoveDueDate' as const), data: fc.option(day).map((dueOn) => ({ ...of, dueOn, reason })) }),
  fc.record({
    type: fc.constant('CompleteEnrollment' as const),
    data: fc.record({ validity, courseVersion: fc.integer({ min: 1, max: 3 }) }).map((more) => ({ ...of, ...more })),
  }),
  fc.record({ type: fc.constantFrom('RemindLearner' as const, 'MarkOverdue' as const), data: day.map((dueOn) => ({ ...of, dueOn })) }),
  fc.record({
    type: fc.constantFrom('OpenRenewal' as const, 'ExpireCertification' as const),
    data: day.map((expiresOn) => ({ ...of, expiresOn })),
  }),
  fc.record({
    type: fc.constant('SupersedeEnrollment' as const),
    data: fc.integer({ min: 1, max: 4 }).map((courseVersion) => ({ ...of, courseVersion })),
  }),
  fc.record({
    type: fc.constant('ApplyRequirement' as const),
    data: fc
      .record({ rule: fc.constantFrom(...RULES), periods: fc.option(period), cause: fc.uuid() })
      .map(({ periods, ...more }) => ({ ...of, ...more, periods: periods ? [periods] : [] })),
  }),
); // prettier-ignore

const stories = fc.array(
  fc.tuple(data, day).map(([command, on]) => ({ ...command, at: startOf(on) }) as EnrollmentCommand),
  { maxLength: 25 },
);

/** Sends the commands one after the other; tells of each that was accepted. */
function play(
  commands: readonly EnrollmentCommand[],
  each: (command: EnrollmentCommand, before: readonly EnrollmentEvent[], events: readonly EnrollmentEvent[]) => void,
): readonly EnrollmentEvent[] {
  let history: readonly EnrollmentEvent[] = [];
  for (const command of commands) {
    try {
      const events = enrollmentDecider.decide(command, foldEvents(enrollmentDecider, history));
      each(command, history, events);
      history = [...history, ...events];
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }
  return history;
}

const stateAfter = (history: readonly EnrollmentEvent[]) => foldEvents(enrollmentDecider, history);

it('an accepted command, repeated, yields nothing', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const again: [EnrollmentCommand, readonly EnrollmentEvent[]][] = [];
      play(commands, (command, before, events) => {
        again.push([command, enrollmentDecider.decide(command, stateAfter([...before, ...events]))]);
      });
      expect(again.filter(([, events]) => events.length > 0)).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

it('a due date is reminded of once, and found overdue once, as long as it stands', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const told = new Set<string>();
      play(commands, (_, before, events) => {
        for (const { type } of events) {
          if (type === 'LearnerReminded' || type === 'EnrollmentBecameOverdue') {
            expect(stateAfter(before).status).toBe('open');
            expect(told.has(type)).toBe(false);
            told.add(type);
          }
        }
        const [was, is] = [stateAfter(before), stateAfter([...before, ...events])];
        if (was.dueOn !== is.dueOn || was.status !== is.status) told.clear();
      });
    }),
    { numRuns: 1_000 },
  );
});

it('what was earned no rule, and nobody who leaves a role, takes away', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      play(commands, ({ type }, before, events) => {
        const { status, certificate } = stateAfter(before);
        if (type !== 'ApplyRequirement' && type !== 'WithdrawLearner') return;
        const after = stateAfter([...before, ...events]);
        expect(after.certificate).toEqual(certificate);
        if (status === 'completed' || status === 'exempted') expect(after.status).toBe(status);
      });
    }),
    { numRuns: 1_000 },
  );
});

it('events are plain JSON', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const history = play(commands, () => undefined);
      expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    }),
  );
});
