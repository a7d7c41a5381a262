import type { AnyProjection } from '../packages/eventsourcing';
import { assessments } from './mongo/assessments';
import { attemptPapers } from './mongo/attempt-papers';
import { attempts } from './mongo/attempts';
import { deadlines } from './mongo/deadlines';
import { enrollments } from './mongo/enrollments';
import { jobTitles } from './mongo/job-titles';
import { notifications } from './mongo/notifications';
import { people } from './mongo/people';
import { permissions } from './mongo/permissions';
import { teamProgress } from './mongo/team-progress';
import { transcripts } from './mongo/transcripts';

/** The read models in MongoDB. To stand here is to be registered. */
export const mongoProjections: readonly AnyProjection[] = [
  people,
  jobTitles,
  permissions,
  enrollments,
  deadlines,
  notifications,
  assessments,
  attempts,
  attemptPapers,
  transcripts,
  teamProgress,
];
