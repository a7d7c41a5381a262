import type { AnyProjection } from '../packages/eventsourcing';
import { assessments } from './mongo/assessments';
import { attemptPapers } from './mongo/attempt-papers';
import { attempts } from './mongo/attempts';
import { enrollments } from './mongo/enrollments';
import { people } from './mongo/people';
import { teamProgress } from './mongo/team-progress';
import { transcripts } from './mongo/transcripts';

/** The read models in MongoDB. To stand here is to be registered. */
export const mongoProjections: readonly AnyProjection[] = [
  people,
  enrollments,
  assessments,
  attempts,
  attemptPapers,
  transcripts,
  teamProgress,
];
