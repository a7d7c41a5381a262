import { assessmentEventVersions, attemptEventVersions } from '../../packages/assessment';
import { auditLogEventVersions } from '../../packages/audit';
import { enrollmentEventVersions, notificationEventVersions } from '../../packages/enrollment';
import { EventCatalog } from '../../packages/eventsourcing';
import {
  permissionEventVersions,
  personEventVersions,
  reportingLinesEventVersions,
  titleMappingEventVersions,
} from '../../packages/people';
import { privacyEventVersions, retentionEventVersions } from '../../packages/privacy';

/** Every event of every context, with its versions. */
export const eventCatalog = new EventCatalog(
  personEventVersions,
  permissionEventVersions,
  reportingLinesEventVersions,
  titleMappingEventVersions,
  enrollmentEventVersions,
  notificationEventVersions,
  assessmentEventVersions,
  attemptEventVersions,
  auditLogEventVersions,
  privacyEventVersions,
  retentionEventVersions,
);
