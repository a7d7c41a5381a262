import fc from 'fast-check';
import { addDays, withDated } from '../eventsourcing';
import { type Fact, type PersonHistory, requirementsOf, type RuleVersion } from './requirements';

const person = 'p';
let causes = 0;
function fact<V>(on: string, value: V, rank = 0): Fact<V> {
  return { on, value, cause: `cause-${++causes}`, rank };
}
const everyone: NonNullable<RuleVersion> = {
  version: 1,
  audience: { everyone: true },
  courses: ['conduct'],
  due: { kind: 'in-days', days: 30 },
  recertification: null,
};
const leaders: NonNullable<RuleVersion> = { ...everyone, audience: { anyOf: [{ roles: ['leader'], orgUnits: null }] } };
const since = (on: string, version: RuleVersion): Fact<RuleVersion> => fact(on, version);
const hired = fact('2026-01-10', true);
const engineer = fact('2026-01-10', 'engineer');
const unit = fact('2026-01-10', 'd005');
const employee: PersonHistory = { person, employed: [hired], role: [engineer], orgUnit: [unit] };

describe('what a rule requires of a person', () => {
  it('begins with the hire, is due so many days later, and names the hire as its cause', () => {
    expect(requirementsOf(employee, [since('2000-01-01', everyone)]).get('conduct')).toEqual([
      {
        from: '2026-01-10',
        until: null,
        ruleVersion: 1,
        cause: hired.cause,
        endCause: null,
        dueOn: '2026-02-09',
        recertification: null,
      },
    ]);
  });

  it('begins with the rule when that is younger, which is then the cause', () => {
    const rule = since('2026-03-01', everyone);
    expect(requirementsOf(employee, [rule]).get('conduct')).toMatchObject([
      { from: '2026-03-01', dueOn: '2026-03-31', cause: rule.cause },
    ]);
  });

  it('follows a role there, away and back', () => {
    const role = [engineer, fact('2026-02-01', 'leader'), fact('2026-03-01', 'engineer'), fact('2026-04-01', 'leader')];
    expect(requirementsOf({ ...employee, role }, [since('2000-01-01', leaders)]).get('conduct')).toMatchObject([
      { from: '2026-02-01', until: '2026-03-01', cause: role[1]!.cause, endCause: role[2]!.cause },
      { from: '2026-04-01', until: null, cause: role[3]!.cause, endCause: null },
    ]);
  });

  it('ends with the employment, with the retirement of the rule, and with a version that leaves the course out', () => {
    const rule = [since('2000-01-01', everyone)];
    const until = (history: PersonHistory, versions: Fact<RuleVersion>[]) =>
      requirementsOf(history, versions)
        .get('conduct')
        ?.map((period) => period.until);
    expect(until({ ...employee, employed: [hired, fact('2026-05-01', false)] }, rule)).toEqual(['2026-05-01']);
    expect(until(employee, [...rule, since('2026-06-01', null)])).toEqual(['2026-06-01']);
    expect(until(employee, [...rule, since('2026-07-01', { ...everyone, courses: ['other'] })])).toEqual([
      '2026-07-01',
    ]);
  });

  it('goes on over a new version that still requires it, as it began', () => {
    const versions = [since('2000-01-01', everyone), since('2026-06-01', { ...everyone, version: 2, due: null })];
    expect(requirementsOf(employee, versions).get('conduct')).toMatchObject([
      { ruleVersion: 1, dueOn: '2026-02-09', until: null },
    ]);
  });

  it('combines roles and org units: all that an alternative names, any of the alternatives', () => {
    const audience = {
      anyOf: [
        { roles: ['engineer'], orgUnits: ['d001'] },
        { roles: null, orgUnits: ['d005'] },
      ],
    };
    const orgUnit = [fact('2026-01-10', 'd001'), fact('2026-02-01', 'd002'), fact('2026-03-01', 'd005')];
    const role = [engineer, fact('2026-03-15', 'leader')];
    const history = { ...employee, role, orgUnit };
    expect(requirementsOf(history, [since('2000-01-01', { ...everyone, audience })]).get('conduct')).toMatchObject([
      { from: '2026-01-10', until: '2026-02-01' },
      { from: '2026-03-01', until: null },
    ]);
  });

  it('takes a fixed due date as it is', () => {
    const due = { kind: 'on', date: '2026-12-31' } as const;
    expect(requirementsOf(employee, [since('2000-01-01', { ...everyone, due })]).get('conduct')).toMatchObject([
      { dueOn: '2026-12-31' },
    ]);
  });

  it('asks nothing of somebody whose hire is not known', () => {
    expect(requirementsOf({ ...employee, employed: [] }, [since('2000-01-01', everyone)]).size).toBe(0);
  });

  const FIRST = '2026-01-01';
  const SPAN = 40;
  const day = fc.integer({ min: 0, max: SPAN }).map((n) => addDays(FIRST, n));
  const facts = <V>(value: fc.Arbitrary<V>) =>
    fc
      .uniqueArray(fc.record({ on: day, value }), { selector: ({ on }) => on, maxLength: 6 })
      .map((list) => list.map(({ on, value }) => fact(on, value)));
  const versions = facts(
    fc.option(
      fc.record({
        version: fc.integer({ min: 1, max: 9 }),
        audience: fc.constantFrom(everyone.audience, leaders.audience),
        courses: fc.constantFrom(['conduct'], ['conduct', 'other'], ['other']),
        due: fc.constantFrom(null, everyone.due),
        recertification: fc.constant(null),
      }),
    ),
  );
  const inOrder = <V>(list: readonly Fact<V>[]): readonly Fact<V>[] =>
    list.reduce<readonly Fact<V>[]>((sorted, each) => withDated(sorted, each), []);

  it('covers exactly the days on which the person works, fits, and the rule asks; in whatever order that became known', () => {
    fc.assert(
      fc.property(
        facts(fc.boolean()),
        facts(fc.constantFrom('leader', 'engineer')),
        versions,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (employed, role, rule, random) => {
          const history = { person, employed: inOrder(employed), role: inOrder(role), orgUnit: [] };
          const shuffled = <V>(list: Fact<V>[]): readonly Fact<V>[] =>
            inOrder(
              list
                .map((each) => ({ each, at: random.next().value as number }))
                .sort((a, b) => a.at - b.at)
                .map(({ each }) => each),
            );
          const found = requirementsOf(history, inOrder(rule));
          const again = { ...history, employed: shuffled(employed), role: shuffled(role) };
          expect(requirementsOf(again, shuffled(rule))).toEqual(found);

          const holding = <V>(list: Fact<V>[], on: string): V | undefined =>
            list
              .filter((each) => each.on <= on)
              .sort((a, b) => (a.on < b.on ? -1 : 1))
              .pop()?.value;
          for (let n = 0; n <= SPAN + 1; n++) {
            const on = addDays(FIRST, n);
            const version = holding(rule, on);
            const fits = version && ('everyone' in version.audience || holding(role, on) === 'leader');
            for (const course of ['conduct', 'other']) {
              const periods = found.get(course) ?? [];
              const covered = periods.filter(({ from, until }) => from <= on && (until === null || on < until)).length;
              const expected =
                holding(employed, on) && fits && (version.courses as readonly string[]).includes(course) ? 1 : 0;
              expect([on, course, covered]).toEqual([on, course, expected]);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
