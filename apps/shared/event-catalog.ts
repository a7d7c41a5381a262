import { assessmentEventVersions, attemptEventVersions } from '../../packages/assessment';
import { enrollmentEventVersions } from '../../packages/enrollment';
import { EventCatalog } from '../../packages/eventsourcing';
import { personEventVersions } from '../../packages/people';

/** Every event of every context, with its versions. */
export const eventCatalog = new EventCatalog(
  personEventVersions,
  enrollmentEventVersions,
  assessmentEventVersions,
  attemptEventVersions,
);
