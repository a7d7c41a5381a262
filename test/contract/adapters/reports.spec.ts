/** Every report against the same computed from documents and events, over histories in which facts arrive late and in any order. */
import { Subtrees } from '../../../infra/clickhouse';
import { addDays, ProjectionFold } from '../../../packages/eventsourcing';
import { reportNames, reportSql } from '../../../projections/clickhouse';
import { ExpectedActivity } from '../../../projections/expected-activity';
import { expectedCourseOutcomes, expectedQuestionStatistics } from '../../../projections/expected-reports';
import * as expectedTeams from '../../../projections/expected-team-reports';
import { attempts, type AttemptDocument } from '../../../projections/mongo/attempts';
import { enrollments, type EnrollmentDocument } from '../../../projections/mongo/enrollments';
import { people, type PersonDocument } from '../../../projections/mongo/people';
import { useLoadedWarehouse } from './loaded-warehouse';
import { COURSES, personOf, randomHistory } from './random-history';

/** Spans of the daily aggregates end within the history. */
const SIZE = { people: 20, events: 1_200, step: 12_345 };
const history = randomHistory(20_261_126, SIZE);
const END = history.at(-1)!.position;
/** The first day from which on nobody joins, leaves or moves any more; courses are still to be done then. */
const SETTLED = history
  .filter(({ type }) => /^(Person|ReportingLine)/.test(type))
  .reduce((last, { metadata }) => (metadata.occurredAt > last ? metadata.occurredAt : last), '')
  .slice(0, 10);
const loaded = useLoadedWarehouse(history);

const folds = new Map<string, ReturnType<typeof foldAnew>>();

/** What the log said up to a position about the time up to the end of a day. */
function fold(on: string, upTo: bigint) {
  const key = `${on} ${upTo}`;
  const folded = folds.get(key) ?? foldAnew(on, upTo);
  folds.set(key, folded);
  return folded;
}

function foldAnew(on: string, upTo: bigint) {
  const folded = {
    people: new ProjectionFold<PersonDocument>(people),
    enrollments: new ProjectionFold<EnrollmentDocument>(enrollments),
    attempts: new ProjectionFold<AttemptDocument>(attempts),
    activity: new ExpectedActivity(),
    ofPeople: (members: ReadonlySet<string>) => {
      const activity = new ExpectedActivity();
      for (const event of seen) if (members.has((event.data as { person: string }).person)) activity.apply(event);
      return activity;
    },
  };
  const seen = history.filter(({ position, metadata }) => position <= upTo && metadata.occurredAt.slice(0, 10) <= on);
  for (const event of seen) {
    folded.people.apply(event);
    folded.enrollments.apply(event);
    folded.attempts.apply(event);
    folded.activity.apply(event);
  }
  return folded;
}

type Scope = { manager: string; scope: 'subtree' | 'direct' };

function expectedReport(name: string, on: string, upTo: bigint, scope: Scope, within: number): object[] {
  const folded = fold(on, upTo);
  const team = { on, within, ...scope };
  const persons = folded.people.documents;
  const members = new Set(expectedTeams.membersOf(persons, scope).map(({ person }) => person));
  const counts = ({ person }: { person: string }): boolean => scope.manager === '' || members.has(person);
  const ofTeam = [...folded.enrollments.documents.values()];
  const attempted = [...folded.attempts.documents.values()].filter(counts);
  const activity = scope.manager === '' ? folded.activity : folded.ofPeople(members);
  const reports: Record<string, () => object[]> = {
    'course-outcomes': () => expectedCourseOutcomes(ofTeam.filter(counts), attempted),
    'expiring-certificates': () => expectedTeams.expectedExpiringCertificates(persons, ofTeam, team),
    overdue: () => expectedTeams.expectedOverdue(persons, ofTeam, team),
    'question-statistics': () => expectedQuestionStatistics(attempted),
    'team-compliance': () => expectedTeams.expectedTeamCompliance(persons, ofTeam, team),
    'team-compliance-by-course': () => expectedTeams.expectedCourseCompliance(persons, ofTeam, team),
    'team-compliance-by-person': () => expectedTeams.expectedPersonCompliance(persons, ofTeam, team),
    'team-compliance-by-unit': () => expectedTeams.expectedUnitCompliance(persons, ofTeam, team),
    'time-to-complete': () => activity.timeToComplete(),
    'weekly-trend': () => activity.weeklyTrend(),
  };
  return reports[name]!();
}

/** Numbers of which the last digits depend on the order of adding up. */
function rounded(rows: readonly object[]): object[] {
  const round = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(9)) : value);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([field, value]) => [field, round(value)])));
}

const middle = history[Math.floor(history.length * 0.6)]!.position;
const scopes: Scope[] = [
  { manager: '', scope: 'subtree' },
  { manager: personOf(0), scope: 'subtree' },
  { manager: personOf(0), scope: 'direct' },
  { manager: personOf(3), scope: 'subtree' },
];

describe.each(reportNames())('%s', (name) => {
  it.each([
    ['now', '2026-12-31', END],
    ['on an earlier day', '2026-02-20', END],
    ['as known earlier', '2026-03-15', middle],
    ['before anything', '2025-12-31', END],
  ])('%s agrees with the documents', async (_, on, upTo) => {
    for (const scope of scopes) {
      const asked = { tenant: 'acme', asOf: `${on}T23:59:59.999Z`, upTo, ...scope };
      const within = { within: 20 };
      const rows = await loaded.warehouse.report<object>(name, { ...asked, ...within });
      expect(rounded(rows)).toEqual(rounded(expectedReport(name, on, upTo, scope, 20)));
      if (scope.manager === '' || on !== '2026-12-31') continue;
      const { peopleChanged } = await loaded.warehouse.freshness();
      const remembering = await loaded.warehouse.report<object>(name, { ...asked, ...within, peopleChanged });
      expect(rounded(remembering)).toEqual(rounded(rows));
    }
  });
});

it('shows something in every report', () => {
  for (const name of reportNames()) expect(expectedReport(name, '2026-03-15', END, scopes[1]!, 20)).not.toEqual([]);
});

it('counts one course only, where a report takes one', async () => {
  const asked = { tenant: 'acme', asOf: '2026-12-31T00:00:00.000Z', upTo: END };
  const [course] = COURSES;
  const all = await loaded.warehouse.report<{ course: string }>('question-statistics', asked);
  const one = await loaded.warehouse.report<{ course: string }>('question-statistics', { ...asked, course });
  expect(one).toEqual(all.filter((row) => row.course === course));
  const sum = (rows: { attempts: number }[]): number => rows.reduce((total, { attempts }) => total + attempts, 0);
  const perCourse = await Promise.all(
    COURSES.map((each) => loaded.warehouse.report<{ attempts: number }>('weekly-trend', { ...asked, course: each })),
  );
  const whole = await loaded.warehouse.report<{ attempts: number }>('weekly-trend', asked);
  expect(perCourse.map(sum).reduce((a, b) => a + b)).toBe(sum(whole));
});

it('finds the people below a manager as the documents have them', async () => {
  const subtrees = new Subtrees(loaded.clickhouse, reportSql);
  const managers = Array.from({ length: SIZE.people }, (_, n) => personOf(n));
  const asked = { tenant: 'acme', managers, asOf: '2026-12-31T23:59:59.999Z', upTo: END, peopleChanged: 5n };
  const persons = fold('2026-12-31', END).people.documents;
  const isBelow = (person: string | null | undefined, manager: string, scope: string): boolean => {
    const above = person && persons.get(person)?.manager;
    return Boolean(above) && (above === manager || (scope === 'subtree' && isBelow(above, manager, scope)));
  };
  for (const scope of ['subtree', 'direct']) {
    const found = await subtrees.of({ ...asked, scope });
    expect([...found.keys()].sort()).toEqual([...managers].sort());
    for (const manager of managers) {
      const below = [...persons.keys()].filter((person) => isBelow(person, manager, scope)).sort();
      const { [manager]: self, ...others } = Object.fromEntries(found.get(manager)!);
      expect(Object.keys(others).sort()).toEqual(below);
      expect(self!.lead).toBe('');
      for (const [person, { lead, works, employeeNumber }] of Object.entries(others)) {
        const { manager: boss, status, employeeNumber: number } = persons.get(person)!;
        expect({ lead, works, employeeNumber }).toEqual({
          lead: boss,
          works: status === 'active',
          employeeNumber: number,
        });
      }
    }
  }
  const tree = await subtrees.of({ ...asked, managers: [personOf(0)], scope: 'subtree' });
  const states = [...tree.get(personOf(0))!.values()].map(({ works }) => works);
  expect(states.filter(Boolean).length).toBeGreaterThan(3);
  expect(states).toContain(false);
});

it('gives several managers at once what it gives each of them alone', async () => {
  const { peopleChanged } = await loaded.warehouse.freshness();
  const managers = [...Array.from({ length: 6 }, (_, n) => personOf(n)), 'nobody'];
  const parted = reportNames().filter((name) => reportSql.partedBy(name));
  expect(parted).toEqual(['expiring-certificates', 'overdue', 'team-compliance', 'team-compliance-by-person']);
  let rows = 0;
  for (const name of parted) {
    for (const scope of ['subtree', 'direct']) {
      const asked = { tenant: 'acme', asOf: '2026-12-31T23:59:59.999Z', upTo: END, peopleChanged, within: 20, scope };
      const several = await loaded.warehouse.reportsOf<object>(name, managers, asked);
      expect([...several.keys()].sort()).toEqual([...managers].sort());
      for (const manager of managers) {
        const alone = await loaded.warehouse.report<object>(name, { ...asked, manager });
        expect(several.get(manager)).toEqual(alone);
        rows += alone.length;
      }
    }
  }
  expect(rows).toBeGreaterThan(40);
});

it('counts how known teams stand as ClickHouse does, day by day', async () => {
  const { peopleChanged } = await loaded.warehouse.freshness();
  const manager = personOf(0);
  const seen: object[] = [];
  for (let days = 0; days < 30; days++) {
    const asOf = `${addDays(SETTLED, days)}T12:00:00.000Z`;
    const asked = { tenant: 'acme', asOf, upTo: END, peopleChanged, within: 10 };
    const counted = await loaded.warehouse.reportsOf<object>('team-compliance', [manager], asked);
    expect(counted.get(manager)).toEqual(await loaded.warehouse.report('team-compliance', { ...asked, manager }));
    seen.push(...counted.get(manager)!);
  }
  const counts = ['completed', 'failed', 'open', 'overdue', 'dueSoon', 'expiring'];
  const hasSome = (count: string): boolean => seen.some((row) => (row as Record<string, number>)[count]! > 0);
  expect(counts.filter(hasSome)).toEqual(counts);
});

it('counts what was derived twice once, for known teams too', async () => {
  const { peopleChanged } = await loaded.warehouse.freshness();
  const asked = { tenant: 'acme', asOf: '2026-12-31T23:59:59.999Z', upTo: END, peopleChanged, manager: personOf(0) };
  const all = async () => Promise.all(reportNames().map((name) => loaded.warehouse.report<object>(name, asked)));
  const before = await all();
  for (const table of ['member_facts', 'member_attempts', 'team_lines']) {
    await loaded.clickhouse.command({ query: `INSERT INTO ${table} SELECT * FROM ${table}` });
  }
  expect((await all()).map(rounded)).toEqual(before.map(rounded));
});
