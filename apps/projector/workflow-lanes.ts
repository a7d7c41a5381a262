import {
  assignment,
  whenAssignedThenNotify,
  whenAttemptPassedThenComplete,
  whenCertificateExpiresThenRecertify,
  whenPersonLeavesThenClose,
} from '../../packages/enrollment';
import type { AnyWorkflow } from '../../packages/eventsourcing';
import { whenJobTitleMappedThenChangeRole, whenPersonMovedThenPlace } from '../../packages/people';

/** Every workflow, in lanes that run beside each other. To stand here is to run. */
export const workflowLanes: readonly (readonly AnyWorkflow[])[] = [
  [whenPersonMovedThenPlace],
  [
    whenJobTitleMappedThenChangeRole,
    assignment,
    whenPersonLeavesThenClose,
    whenAttemptPassedThenComplete,
    whenCertificateExpiresThenRecertify,
    whenAssignedThenNotify,
  ],
];
