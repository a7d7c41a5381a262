/**
 * Every report against the same counted from the rows of the OULAD files, by nothing of Attest: on the sample, or on the whole data where it is
 * asked for. A registration is an enrollment due on day 120, a distinction a certificate for a year, a student's scores in a course together one
 * more attempt with a question for each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { derivedId, type RecordedEvent } from '../../../packages/eventsourcing';
import { recorded } from '../../../packages/eventsourcing/testing';
import { reportNames } from '../../../projections/clickhouse';
import { useLoadedWarehouse } from './loaded-warehouse';

const { ATTEST_TEST_DATA, ATTEST_TEST_FULL_IMPORT } = process.env;
const isFull = Boolean(ATTEST_TEST_DATA && ATTEST_TEST_FULL_IMPORT);
const FOLDER = isFull ? join(ATTEST_TEST_DATA!, 'oulad') : join(__dirname, '../../fixtures/oulad');
/** Before anything ends; when much is overdue; after the results; when certificates run out. */
const DAYS = ['2013-12-15', '2014-02-15', '2014-07-15', '2015-06-10'];
/** Positions from one event to the next: the daily aggregates cover several spans. */
const STEP = 1_000;
const WITHIN = 30;
const DUE_DAY = 120;
const HIRED = '2012-01-01';
const END = 2n ** 62n;

type Csv = Readonly<Record<string, string>>;
function readCsv(name: string): Csv[] {
  const file = join(FOLDER, `${name}.csv`);
  const text = isFull ? gunzipSync(readFileSync(`${file}.gz`)).toString() : readFileSync(file, 'utf8');
  const [head = [], ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map((value) => value.replaceAll('"', '')));
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [head[index]!, value])));
}

const later = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;
const begins = (presentation: string): string =>
  `${presentation.slice(0, 4)}-${presentation.endsWith('B') ? '02' : '10'}-01`;
const courseOf = (row: Csv): string => `${row.code_module}-${row.code_presentation}`;
const idOf = (employeeNumber: string): string => derivedId('person', employeeNumber);

interface Registration {
  readonly student: string;
  readonly course: string;
  readonly from: string;
  readonly due: string;
  /** What ended it, and when. */
  readonly result: string;
  readonly to: string;
}
interface Score {
  readonly student: string;
  readonly course: string;
  readonly assessment: string;
  readonly on: string;
  readonly score: number | null;
}

const lengths = new Map(readCsv('courses').map((row) => [courseOf(row), Number(row.module_presentation_length)]));
const infos = readCsv('studentInfo');
const units = new Map(infos.toReversed().map(({ id_student, region }) => [id_student!, region!]));
const dates = new Map(readCsv('studentRegistration').map((row) => [`${courseOf(row)}/${row.id_student}`, row]));
const registrations = infos.map((row): Registration => {
  const course = courseOf(row);
  const { date_registration: from, date_unregistration: left } = dates.get(`${course}/${row.id_student}`)!;
  const first = begins(row.code_presentation!);
  const start = later(first, from === '?' ? 0 : Number(from));
  const end = later(first, lengths.get(course)!);
  const leaves = left === '?' ? undefined : later(first, Number(left));
  const ending = leaves === undefined ? { result: row.final_result!, to: end } : { result: 'Withdrawn', to: leaves };
  const to = ending.to < start ? start : ending.to;
  return { student: row.id_student!, course, from: start, due: later(first, DUE_DAY), result: ending.result, to };
});
const assessments = new Map(readCsv('assessments').map((row) => [row.id_assessment!, row]));
const scores = readCsv('studentAssessment').map((row): Score => {
  const { code_presentation: presentation } = assessments.get(row.id_assessment!)!;
  const on = later(begins(presentation!), Number(row.date_submitted));
  const course = courseOf(assessments.get(row.id_assessment!)!);
  const score = row.score === '?' || row.score === '' ? null : Number(row.score);
  return { student: row.id_student!, course, assessment: row.id_assessment!, on, score };
});
const groupBy = <T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group) group.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return groups;
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
/** All scores of a student in a course, at its end. */
const summaries = [
  ...groupBy(
    scores.filter(({ score }) => score !== null),
    (each) => `${each.course}/${each.student}`,
  ).values(),
].map((own) => {
  const { student, course } = own[0]!;
  const on = later(begins(course.split('-')[1]!), lengths.get(course)!);
  return { student, course, assessment: 'all', on, score: mean(own.map(({ score }) => score!)), own };
});
const attempts: readonly Score[] = [...scores, ...summaries];

/** What the rows come to as events, in the order of time. */
function history(): RecordedEvent[] {
  const happened: { on: string; type: string; category: string; id: string; data: object }[] = [];
  const add = (on: string, type: string, category: string, id: string, data: object): void =>
    void happened.push({ on, type, category, id, data });
  const hire = (employeeNumber: string, orgUnit: string, manager: string | null): void => {
    const person = idOf(employeeNumber);
    add(HIRED, 'PersonHired', 'person', person, {
      person,
      employeeNumber,
      role: 'r',
      orgUnit,
      manager,
      effectiveOn: HIRED,
    });
    if (!manager) return;
    const line = { people: [person], manager, reason: { kind: 'hr' }, effectiveOn: HIRED };
    add(HIRED, 'ReportingLineChanged', 'reportinglines', 'tree', line);
  };
  for (const region of new Set(units.values())) hire(region, region, null);
  for (const [student, region] of units) hire(student, region, idOf(region));
  for (const { student, course, from, due, result, to } of registrations) {
    const enrollment = { enrollment: derivedId('enrollment', course, student), person: idOf(student), course };
    const write = (on: string, type: string, data: object = {}): void =>
      add(on, type, 'enrollment', enrollment.enrollment, { ...enrollment, ...data, effectiveOn: on });
    write(from, 'LearnerEnrolled', { dueOn: due });
    if (result === 'Withdrawn') write(to, 'LearnerWithdrawn', { certified: false });
    else if (result === 'Fail') write(to, 'EnrollmentFailed');
    else write(to, 'EnrollmentCompleted');
    if (result === 'Distinction')
      write(to, 'LearnerCertified', { certifiedOn: to, expiresOn: later(to, 365), renewalOpensOn: null });
  }
  const attempt = ({ student, course, assessment, on, score }: Score) => {
    const of = {
      attempt: derivedId('attempt', course, student, assessment),
      person: idOf(student),
      course,
      assessment,
    };
    const grade = score === null ? null : { raw: score, min: 0, max: 100, scaled: score / 100, passed: score >= 40 };
    add(on, 'AttemptRecorded', 'attempt', of.attempt, { ...of, banked: false, grade });
    return of;
  };
  scores.forEach(attempt);
  for (const { own, ...summary } of summaries) {
    const of = attempt(summary);
    const results = own.map(({ assessment, score }) => ({
      question: assessment,
      points: score,
      max: 100,
      comment: null,
    }));
    add(summary.on, 'AnswersGraded', 'attempt', of.attempt, { ...of, by: 'key', results });
  }
  return happened
    .sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))
    .map(({ on, type, data, ...where }, index) => ({
      ...recorded(
        { type, data: data as Record<string, unknown> },
        { ...where, position: (index + 1) * STEP, occurredAt: `${on}T00:00:00.000Z` },
      ),
      id: derivedId('event', String(index)),
    }));
}

const loaded = useLoadedWarehouse(history(), 20_000);

/** How a registration stands on a day: undefined before it. */
function standing({ from, due, result, to }: Registration, day: string) {
  if (from > day) return undefined;
  const isOver = to <= day;
  const status = isOver ? ({ Withdrawn: 'withdrawn', Fail: 'failed' }[result] ?? 'completed') : 'open';
  const expiresOn = isOver && result === 'Distinction' ? later(to, 365) : null;
  return {
    status,
    overdue: !isOver && due < day,
    dueSoon: !isOver && due >= day && due <= later(day, WITHIN),
    expiresOn: expiresOn !== null && expiresOn >= day && expiresOn <= later(day, WITHIN) ? expiresOn : null,
  };
}

function counts(all: readonly Registration[], day: string) {
  const stands = all.map((each) => standing(each, day)).filter((each) => each !== undefined);
  const count = (holds: (each: (typeof stands)[number]) => boolean): number => stands.filter(holds).length;
  const [assigned, completed] = [
    count(({ status }) => status !== 'withdrawn'),
    count(({ status }) => status === 'completed'),
  ];
  return {
    assigned,
    completed,
    failed: count(({ status }) => status === 'failed'),
    open: count(({ status }) => status === 'open'),
    overdue: count(({ overdue }) => overdue),
    dueSoon: count(({ dueSoon }) => dueSoon),
    expiring: count(({ expiresOn }) => expiresOn !== null),
    compliance: assigned > 0 ? completed / assigned : null,
  };
}

const ofStudent = groupBy(registrations, ({ student }) => student);
const ofRegion = groupBy(registrations, ({ student }) => units.get(student)!);
const members = groupBy([...units.keys()], (student) => units.get(student)!);
const memberOf = (student: string) => ({
  person: idOf(student),
  employeeNumber: student,
  manager: idOf(units.get(student)!),
  orgUnit: units.get(student)!,
});
const monday = (day: string): string => later(day, -((new Date(day).getUTCDay() + 6) % 7));
/** Of so many values in order, the one below which this share of them lies; of two in the middle the lower. */
const quantileOf = (sorted: readonly number[], share: number): number =>
  sorted[
    share === 0.5 ? Math.ceil(sorted.length / 2) - 1 : Math.min(Math.floor(sorted.length * share), sorted.length - 1)
  ]!;

const expected: Record<string, (day: string) => object[]> = {
  'course-outcomes': (day) => {
    const begun = groupBy(
      registrations.filter(({ from }) => from <= day),
      ({ course }) => course,
    );
    const tried = groupBy(
      attempts.filter(({ on }) => on <= day),
      ({ course }) => course,
    );
    return [...new Set([...begun.keys(), ...tried.keys()])].map((course) => {
      const own = begun.get(course) ?? [];
      const { completed, failed, assigned } = counts(own, day);
      const mine = tried.get(course) ?? [];
      const graded = mine.flatMap(({ score }) => score ?? []);
      return {
        course,
        enrolled: own.length,
        withdrawn: own.length - assigned,
        completed,
        failed,
        attempts: mine.length,
        graded: graded.length,
        passed: graded.filter((score) => score >= 40).length,
        meanScore: graded.length > 0 ? mean(graded) : null,
      };
    });
  },
  'team-compliance': (day) =>
    [...members].map(([region, students]) => ({
      manager: idOf(region),
      managerEmployeeNumber: region,
      members: students.length,
      ...counts(ofRegion.get(region)!, day),
    })),
  'team-compliance-by-unit': (day) =>
    [...members].map(([orgUnit, students]) => ({
      orgUnit,
      members: students.length,
      ...counts(ofRegion.get(orgUnit)!, day),
    })),
  'team-compliance-by-person': (day) =>
    [...ofStudent].map(([student, own]) => ({ ...memberOf(student), ...counts(own, day) })),
  'team-compliance-by-course': (day) =>
    [
      ...groupBy(
        registrations.filter(({ from }) => from <= day),
        ({ course }) => course,
      ),
    ].map(([course, own]) => ({
      course,
      members: own.length,
      ...counts(own, day),
    })),
  overdue: (day) =>
    registrations
      .filter((each) => standing(each, day)?.overdue)
      .map(({ student, course, due }) => ({
        ...memberOf(student),
        course,
        dueOn: due,
        daysOverdue: daysBetween(due, day),
      })),
  'expiring-certificates': (day) =>
    registrations.flatMap((each) => {
      const expiresOn = standing(each, day)?.expiresOn;
      const { student, course } = each;
      return expiresOn
        ? [{ ...memberOf(student), course, expiresOn, daysLeft: daysBetween(day, expiresOn), renewing: false }]
        : [];
    }),
  'time-to-complete': (day) => {
    const done = registrations.filter((each) => standing(each, day)?.status === 'completed');
    return [...groupBy(done, ({ course }) => course)].map(([course, own]) => {
      const days = own.map(({ from, to }) => daysBetween(from, to)).sort((a, b) => a - b);
      return {
        course,
        completed: days.length,
        meanDays: mean(days),
        medianDays: quantileOf(days, 0.5),
        p90Days: quantileOf(days, 0.9),
        maxDays: days.at(-1)!,
      };
    });
  },
  'weekly-trend': (day) => {
    const names = [
      'enrolled',
      'completed',
      'failed',
      'withdrawn',
      'certified',
      'expired',
      'attempts',
      'graded',
      'passed',
    ] as const;
    const weeks = new Map<string, Record<(typeof names)[number], number>>();
    const count = (name: (typeof names)[number], on: string): void => {
      if (on > day) return;
      const zeros = Object.fromEntries(names.map((each) => [each, 0])) as Record<(typeof names)[number], number>;
      const week = weeks.get(monday(on)) ?? zeros;
      weeks.set(monday(on), week);
      week[name]++;
    };
    for (const { from, to, result } of registrations) {
      count('enrolled', from);
      count(result === 'Withdrawn' ? 'withdrawn' : result === 'Fail' ? 'failed' : 'completed', to);
      if (result === 'Distinction') count('certified', to);
    }
    for (const { on, score } of attempts) {
      count('attempts', on);
      if (score === null) continue;
      count('graded', on);
      if (score >= 40) count('passed', on);
    }
    return [...weeks].map(([week, row]) => ({ week, ...row }));
  },
  'question-statistics': (day) => {
    const answers = summaries
      .filter(({ on }) => on <= day)
      .flatMap(({ course, own }) => {
        const all = own.reduce((sum, { score }) => sum + score!, 0);
        const rest = own.length - 1;
        return own.map(({ assessment, score }) => ({
          course,
          assessment,
          share: score! / 100,
          rest: rest === 0 ? 0 : (all - score!) / (100 * rest),
        }));
      });
    return [...groupBy(answers, ({ assessment }) => assessment)].map(([question, own]) => {
      const [shares, rests] = [own.map(({ share }) => share), own.map(({ rest }) => rest)];
      return {
        course: own[0]!.course,
        assessment: 'all',
        question,
        attempts: own.length,
        meanPoints: mean(shares) * 100,
        maxPoints: 100,
        difficulty: mean(shares),
        discrimination: new Set(shares).size < 2 || new Set(rests).size < 2 ? null : correlation(shares, rests),
      };
    });
  },
};

function correlation(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [mean(xs), mean(ys)];
  const [dx, dy] = [xs.map((each) => each - x), ys.map((each) => each - y)];
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, each, i) => sum + each * b[i]!, 0);
  return dot(dx, dy) / Math.sqrt(dot(dx, dx) * dot(dy, dy));
}

/** Rows in any order, their numbers to six digits. */
const comparable = (rows: readonly object[]): string[] =>
  rows
    .map((row) =>
      Object.entries(row).map(
        ([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toPrecision(6)) : value}`,
      ),
    )
    .map((fields) => fields.sort().join(', '))
    .sort();

const seen = new Map<string, number>();

describe.each(reportNames())('%s', (name) => {
  it.each(DAYS)('on %s says what the files say', async (day) => {
    const asOf = `${day}T23:59:59.999Z`;
    const rows = await loaded.warehouse.report<object>(name, { tenant: 'acme', asOf, upTo: END, within: WITHIN });
    expect(comparable(rows)).toEqual(comparable(expected[name]!(day)));
    seen.set(name, (seen.get(name) ?? 0) + rows.length);
  });

  it('says something on one of those days', () => {
    expect(seen.get(name)).toBeGreaterThan(0);
  });
});
