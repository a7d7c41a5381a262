import { AssessmentModule } from '../assessment/assessment.module';
import { AuditModule } from '../audit/audit.module';
import { EnrollmentModule } from '../enrollment/enrollment.module';
import { HrisModule, PeopleModule } from '../people/people.module';
import { PrivacyModule } from '../privacy/privacy.module';
import { ProjectorModule } from '../projector/projector.module';
import { ReportsModule } from '../reports/reports.module';

/** Every service in one process. */
export const attestModules = [
  PeopleModule,
  HrisModule,
  EnrollmentModule,
  AssessmentModule,
  ProjectorModule,
  ReportsModule,
  AuditModule,
  PrivacyModule,
];
