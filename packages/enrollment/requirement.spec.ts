import fc from 'fast-check';
import { addDays, dayOf, foldEvents } from '../eventsourcing';
import { given } from '../eventsourcing/testing';
import { statusAfter } from '../../projections/mongo/enrollment-status';
import { type EnrollmentCommand, enrollmentDecider, enrollmentIdOf } from './enrollment.decider';
import type { EnrollmentEvent } from './enrollment.events';
import type { Period } from './requirements';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const course = 'code-of-conduct';
const of = { enrollment: enrollmentIdOf(person, course), person, course };
const midnight = (day: string): string => `${day}T00:00:00.000Z`;

function period(from: string, until: string | null = null, more: Partial<Period> = {}): Period {
  const endCause = until && `until ${until}`;
  return { from, until, ruleVersion: 1, cause: `from ${from}`, endCause, dueOn: null, recertification: null, ...more };
}
function apply(rule: string, ...periods: Period[]): EnrollmentCommand {
  return {
    type: 'ApplyRequirement',
    at: midnight('2026-06-01'),
    data: { person, course, rule, periods, cause: 'now' },
  };
}
function reason(rule: string, { from }: { from: string }) {
  return { kind: 'rule', rule, ruleVersion: 1, cause: `from ${from}` } as const;
}
function begun(rule: string, each: Period, dueOn = each.dueOn): EnrollmentEvent {
  const { from: effectiveOn, dueOn: ruleDueOn, recertification } = each;
  const data = { ...of, reason: reason(rule, each), dueOn, ruleDueOn, recertification, effectiveOn };
  return { type: 'LearnerEnrolled', data, at: midnight(effectiveOn) };
}
function added(rule: string, each: Period, { open = true, dueOn = each.dueOn } = {}): EnrollmentEvent {
  const { data, at } = begun(rule, each, dueOn) as Extract<EnrollmentEvent, { type: 'LearnerEnrolled' }>;
  return { type: 'RequirementAdded', data: { ...data, reason: reason(rule, each), open }, at: at! };
}
function ended(rule: string, until: string, { open = true, dueOn = null as string | null } = {}): EnrollmentEvent {
  const data = { ...of, rule, cause: `until ${until}`, dueOn, open, effectiveOn: until };
  return { type: 'RequirementEnded', data, at: midnight(until) };
}
function released(rule: string, until: string, cause = `until ${until}`): EnrollmentEvent {
  const withdrawal = { kind: 'not-required', rule, cause } as const;
  const data = { ...of, reason: withdrawal, certified: false, effectiveOn: until };
  return { type: 'LearnerWithdrawn', data, at: midnight(until) };
}
const completed: EnrollmentEvent = {
  type: 'EnrollmentCompleted',
  data: { ...of, result: null, courseVersion: null, attempt: null },
};

describe('what a rule requires', () => {
  const spring = period('2026-03-01', '2026-05-01', { dueOn: '2026-03-31' });
  const open = period('2026-03-01', null, { dueOn: '2026-03-31' });

  it('begins an enrollment, and ends it', () => {
    given(enrollmentDecider).when(apply('a', open)).then(begun('a', open));
    given(enrollmentDecider).when(apply('a', spring)).then(begun('a', spring), released('a', '2026-05-01'));
    given(enrollmentDecider, [begun('a', open)])
      .when(apply('a', spring))
      .then(released('a', '2026-05-01'));
  });

  it('comes back without a duplicate', () => {
    const again = period('2026-06-01');
    given(enrollmentDecider, [begun('a', spring), released('a', '2026-05-01')])
      .when(apply('a', spring, again))
      .then(begun('a', again));
    given(enrollmentDecider, [begun('a', spring), completed, ended('a', '2026-05-01', { open: false })])
      .when(apply('a', spring, again))
      .then(added('a', again, { open: false }));
  });

  it('leaves what was earned', () =>
    given(enrollmentDecider, [begun('a', open), completed])
      .when(apply('a', spring))
      .then(ended('a', '2026-05-01', { open: false })));

  it('leaves what was enrolled by hand', () => {
    const byHand: EnrollmentEvent = {
      type: 'LearnerEnrolled',
      data: { ...of, reason: { kind: 'manual' }, dueOn: null, ruleDueOn: null, recertification: null, effectiveOn: '2026-01-01' },
    };
    given(enrollmentDecider, [byHand])
      .when(apply('a', spring))
      .then(added('a', spring), ended('a', '2026-05-01'));
  }); // prettier-ignore

  it('stands beside other rules: due as the earliest says, withdrawn when the last ends', () => {
    const other = period('2026-04-01', '2026-06-01', { dueOn: '2026-03-15' });
    given(enrollmentDecider, [begun('a', spring), released('a', '2026-05-01')])
      .when(apply('b', other))
      .then(
        added('b', other),
        ended('a', '2026-05-01', { dueOn: '2026-03-15' }),
        released('b', '2026-06-01'),
      );
  }); // prettier-ignore

  it('passes from one rule to another on one day without a gap', () => {
    const next = period('2026-05-01');
    given(enrollmentDecider, [begun('a', spring), released('a', '2026-05-01')])
      .when(apply('b', next))
      .then(added('b', next, { dueOn: '2026-03-31' }), ended('a', '2026-05-01'));
  });

  it('changes in the past as of its day', () => {
    const earlier = period('2026-02-01', null, { dueOn: '2026-03-03' });
    given(enrollmentDecider, [begun('a', open)])
      .when(apply('a', earlier))
      .then(begun('a', earlier));
    given(enrollmentDecider, [begun('a', open)])
      .when(apply('a'))
      .then(released('a', '2026-03-01', 'now'));
  });

  const FIRST = '2026-01-01';
  const DAYS = 30;
  const timeline = fc
    .uniqueArray(fc.integer({ min: 0, max: DAYS }), { maxLength: 5 })
    .map((days) => days.sort((a, b) => a - b).map((n) => addDays(FIRST, n)))
    .map((days) => days.flatMap((from, index) => (index % 2 ? [] : [period(from, days[index + 1] ?? null)])));
  const commands = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), timeline), { minLength: 1, maxLength: 8 });

  it('holds on every day as it was said last, in whatever order it was said; and saying it again changes nothing', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const events: EnrollmentEvent[] = [];
        const again: EnrollmentEvent[] = [];
        const last = new Map<string, readonly Period[]>();
        for (const [rule, periods] of list) {
          const command = apply(rule, ...periods);
          events.push(...enrollmentDecider.decide(command, foldEvents(enrollmentDecider, events)));
          again.push(...enrollmentDecider.decide(command, foldEvents(enrollmentDecider, events)));
          last.set(rule, periods);
        }
        expect(again).toEqual([]);
        const days = Array.from({ length: DAYS + 3 }, (_, n) => addDays(FIRST, n - 1));
        const isOpen = (day: string): boolean => {
          const known = events.filter(({ at }) => dayOf(at!) <= day);
          return known.reduce<string>((before, event) => statusAfter(before, event), 'none') === 'open';
        };
        const isRequired = (day: string): boolean => {
          const covers = ({ from, until }: Period): boolean => from <= day && (until === null || day < until);
          return [...last.values()].some((periods) => periods.some(covers));
        };
        expect(days.filter(isOpen)).toEqual(days.filter(isRequired));
      }),
      { numRuns: 1_000 },
    );
  });
});
