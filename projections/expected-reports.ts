import type { AttemptDocument } from './mongo/attempts';
import type { EnrollmentDocument } from './mongo/enrollments';

export { expectedTeamCompliance, type TeamCompliance } from './expected-team-reports';

/** Reports about courses, computed from documents: what tests and audit hold the warehouse's SQL against. */
export interface CourseOutcomes {
  readonly course: string;
  readonly enrolled: number;
  readonly withdrawn: number;
  readonly completed: number;
  readonly failed: number;
  readonly attempts: number;
  readonly graded: number;
  readonly passed: number;
  /** Mean raw score of the graded attempts; null when none is graded. */
  readonly meanScore: number | null;
}

export function expectedCourseOutcomes(
  enrollments: Iterable<EnrollmentDocument>,
  attempts: Iterable<AttemptDocument>,
): CourseOutcomes[] {
  const tally = new CourseOutcomesTally();
  for (const enrollment of enrollments) tally.addEnrollment(enrollment);
  for (const attempt of attempts) tally.addAttempt(attempt);
  return tally.rows();
}

/** Counts documents as they come, so that they need not be in memory together. */
export class CourseOutcomesTally {
  private readonly byCourse = new Map<
    string,
    { -readonly [K in keyof CourseOutcomes]: CourseOutcomes[K] } & { sum: number }
  >();

  addEnrollment({ course, status }: EnrollmentDocument): void {
    const row = this.rowOf(course);
    row.enrolled++;
    if (status === 'withdrawn' || status === 'completed' || status === 'failed') row[status]++;
  }

  addAttempt({ course, status, grade }: AttemptDocument): void {
    if (status === 'started' || status === 'invalidated') return;
    const row = this.rowOf(course);
    row.attempts++;
    if (!grade) return;
    row.graded++;
    row.sum += grade.raw;
    if (grade.passed) row.passed++;
  }

  rows(): CourseOutcomes[] {
    return [...this.byCourse.values()]
      .map(({ sum, ...row }) => ({ ...row, meanScore: row.graded > 0 ? sum / row.graded : null }))
      .sort((a, b) => (a.course < b.course ? -1 : 1));
  }

  private rowOf(course: string) {
    const found = this.byCourse.get(course);
    if (found) return found;
    const counts = { enrolled: 0, withdrawn: 0, completed: 0, failed: 0, attempts: 0, graded: 0, passed: 0 };
    const row = { course, ...counts, meanScore: null, sum: 0 };
    this.byCourse.set(course, row);
    return row;
  }
}

export interface QuestionStatistics {
  readonly course: string;
  readonly assessment: string;
  readonly question: string;
  readonly attempts: number;
  readonly meanPoints: number;
  readonly maxPoints: number;
  /** Mean share of the points that was earned, 0..1. */
  readonly difficulty: number;
  /** Correlation of that share with the share earned on the other questions of the attempt; null where either does not vary. */
  readonly discrimination: number | null;
}

/** Of the graded attempts that count. */
export function expectedQuestionStatistics(attempts: Iterable<AttemptDocument>): QuestionStatistics[] {
  const questions = new Map<string, { row: QuestionStatistics; earned: number[]; share: number[]; rest: number[] }>();
  for (const { course, assessment, status, results } of attempts) {
    if (status !== 'graded') continue;
    const sum = (of: (result: (typeof results)[number]) => number) => results.reduce((total, r) => total + of(r), 0);
    for (const { question, points, max } of results) {
      const key = JSON.stringify([course, assessment, question]);
      const row = { course, assessment, question, attempts: 0, meanPoints: 0, maxPoints: max, difficulty: 0 };
      const seen = questions.get(key) ?? { row: { ...row, discrimination: null }, earned: [], share: [], rest: [] };
      questions.set(key, seen);
      seen.earned.push(points);
      seen.share.push(shareOf(points, max));
      seen.rest.push(shareOf(sum((result) => result.points) - points, sum((result) => result.max) - max));
    }
  }
  return [...questions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { row, earned, share, rest }]) => ({
      ...row,
      attempts: earned.length,
      meanPoints: mean(earned),
      difficulty: mean(share),
      discrimination: correlation(share, rest),
    }));
}

function shareOf(points: number, max: number): number {
  return max === 0 ? 0 : Number((points / max).toFixed(9));
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Pearson's; null where one of them does not vary. */
function correlation(xs: readonly number[], ys: readonly number[]): number | null {
  if (new Set(xs).size < 2 || new Set(ys).size < 2) return null;
  const [x, y] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((total, each, i) => total + (each - x) * (ys[i]! - y), 0);
  const spread = (values: readonly number[], middle: number) =>
    Math.sqrt(values.reduce((total, value) => total + (value - middle) ** 2, 0));
  // Rounded, since what is added up in another order differs in its last digits.
  return Number((covariance / (spread(xs, x) * spread(ys, y))).toFixed(9)) + 0;
}
