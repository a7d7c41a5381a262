import type { DomainEvent, Workflow } from '../eventsourcing';
import type { CoursePublished } from './enrollment.events';

/** What this workflow reads of the assessment context's events. */
type AttemptJudged = DomainEvent<
  'AttemptRecorded' | 'AttemptGraded' | 'ScoreOverridden',
  {
    readonly attempt: string;
    readonly person: string;
    readonly course: string;
    readonly assessment: string;
    readonly grade: { readonly passed: boolean } | null;
  }
>;

/** The assessment that completes a course, by course. */
type Finals = Readonly<Record<string, string | null>>;

/** Whoever passes the assessment that a course names has completed the course. */
export const whenAttemptPassedThenComplete: Workflow<Finals, null, CoursePublished | AttemptJudged> = {
  name: 'completion',
  version: 1,
  handles: ['CoursePublished', 'AttemptRecorded', 'AttemptGraded', 'ScoreOverridden'],
  key: (event) => (event.type === 'CoursePublished' ? undefined : event.data.person),
  initialShared: {},
  initialOwn: null,
  evolveShared: (finals, event) =>
    event.type === 'CoursePublished' ? { ...finals, [event.data.course]: event.data.assessment } : finals,
  evolveOwn: () => null,
  reactions: [
    {
      name: 'when-attempt-passed-then-complete',
      on: ['AttemptRecorded', 'AttemptGraded', 'ScoreOverridden'],
      react: (event, _before, { shared }) => {
        if (event.type === 'CoursePublished') return [];
        const { attempt, person, course, assessment, grade } = event.data;
        const final = Object.hasOwn(shared, course) ? shared[course] : null;
        if (!grade?.passed || final !== assessment) return [];
        const data = { person, course, attempt, result: 'passed' };
        return [{ type: 'CompleteEnrollment', at: event.metadata.occurredAt, data }];
      },
    },
  ],
};
