import type { AttemptEvent } from '../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../packages/enrollment/enrollment.events';
import { addDays, dayOf, type Recorded, type RecordedEvent } from '../packages/eventsourcing';
import { statusAfter } from './mongo/enrollment-status';

export interface WeeklyTrend extends Activity {
  /** Its Monday, ISO 8601 date. */
  readonly week: string;
}

/** How many of each happened. */
export interface Activity {
  readonly enrolled: number;
  readonly completed: number;
  readonly failed: number;
  readonly withdrawn: number;
  readonly certified: number;
  readonly expired: number;
  readonly attempts: number;
  readonly graded: number;
  readonly passed: number;
}

export interface TimeToComplete {
  readonly course: string;
  readonly completed: number;
  readonly meanDays: number;
  readonly medianDays: number;
  readonly p90Days: number;
  readonly maxDays: number;
}

interface Course {
  readonly course: string;
  readonly status: string;
  readonly enrolledAt?: Moment;
  readonly completedAt?: Moment;
}

interface Moment {
  readonly position: bigint;
  readonly occurredAt: string;
}

const DAY = 86_400_000;
const NONE: Activity = {
  enrolled: 0,
  completed: 0,
  failed: 0,
  withdrawn: 0,
  certified: 0,
  expired: 0,
  attempts: 0,
  graded: 0,
  passed: 0,
};

/** The reports about what happened and how long it took, computed from the events: what tests and audit hold the warehouse's SQL against. */
export class ExpectedActivity {
  private readonly weeks = new Map<string, Activity>();
  private readonly enrollments = new Map<string, Course>();

  apply({ position, ...recorded }: RecordedEvent): void {
    const event = recorded as Recorded<EnrollmentEvent | AttemptEvent>;
    const { occurredAt } = event.metadata;
    const happened = activityOf(event);
    if (happened.length > 0) {
      const week = mondayOf(dayOf(occurredAt));
      const counts = { ...(this.weeks.get(week) ?? NONE) };
      for (const what of happened) counts[what]++;
      this.weeks.set(week, counts);
    }
    if ('enrollment' in event.data) {
      const { enrollment, course } = event.data;
      const before = this.enrollments.get(enrollment) ?? { course, status: 'withdrawn' };
      const status = statusAfter(before.status, event as EnrollmentEvent);
      const moment = { position, occurredAt };
      this.enrollments.set(enrollment, {
        ...before,
        status,
        ...(event.type === 'LearnerEnrolled' && { enrolledAt: moment }),
        ...(event.type === 'EnrollmentCompleted' && { completedAt: moment }),
      });
    }
  }

  weeklyTrend(): WeeklyTrend[] {
    return [...this.weeks].map(([week, counts]) => ({ week, ...counts })).sort((a, b) => (a.week < b.week ? -1 : 1));
  }

  timeToComplete(): TimeToComplete[] {
    const daysOf = new Map<string, number[]>();
    for (const { course, status, enrolledAt, completedAt } of this.enrollments.values()) {
      if (status !== 'completed' || !enrolledAt || !completedAt || completedAt.position < enrolledAt.position) continue;
      const days = (startOfDay(completedAt.occurredAt) - startOfDay(enrolledAt.occurredAt)) / DAY;
      daysOf.set(course, [...(daysOf.get(course) ?? []), days]);
    }
    return [...daysOf]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([course, unsorted]) => {
        const days = unsorted.sort((a, b) => a - b);
        return {
          course,
          completed: days.length,
          meanDays: days.reduce((total, each) => total + each, 0) / days.length,
          medianDays: lowQuantile(days, 0.5),
          p90Days: lowQuantile(days, 0.9),
          maxDays: days.at(-1)!,
        };
      });
  }
}

function activityOf(event: EnrollmentEvent | AttemptEvent): (keyof Activity)[] {
  const graded = (grade: { passed: boolean } | null): (keyof Activity)[] =>
    grade === null ? [] : grade.passed ? ['graded', 'passed'] : ['graded'];
  switch (event.type) {
    case 'LearnerEnrolled':
      return ['enrolled'];
    case 'EnrollmentCompleted':
      return ['completed'];
    case 'EnrollmentFailed':
      return ['failed'];
    case 'LearnerWithdrawn':
      return event.data.certified ? [] : ['withdrawn'];
    case 'LearnerCertified':
    case 'CertificationRenewed':
      return ['certified'];
    case 'CertificationExpired':
      return ['expired'];
    case 'AttemptRecorded':
      return ['attempts', ...graded(event.data.grade)];
    case 'AttemptSubmitted':
    case 'AttemptTimedOut':
      return ['attempts'];
    case 'AttemptGraded':
      return graded(event.data.grade);
    default:
      return [];
  }
}

function mondayOf(day: string): string {
  return addDays(day, -((new Date(day).getUTCDay() + 6) % 7));
}

function startOfDay(moment: string): number {
  return Date.parse(dayOf(moment));
}

/** Of an even number of values the lower of the two in the middle, as ClickHouse's `quantileExactLow`. */
function lowQuantile(sorted: readonly number[], level: number): number {
  const at = level === 0.5 && sorted.length % 2 === 0 ? sorted.length / 2 - 1 : Math.floor(level * sorted.length);
  return sorted[Math.min(at, sorted.length - 1)]!;
}
