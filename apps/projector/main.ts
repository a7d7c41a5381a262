import { AssessmentModule } from '../assessment/assessment.module';
import { EnrollmentModule } from '../enrollment/enrollment.module';
import { PeopleModule } from '../people/people.module';
import { runService } from '../shared/bootstrap';
import { ProjectorModule } from './projector.module';

// Workflows and the scheduler issue commands of every context; they are decided here and guarded by the expected revision like anywhere else.
void runService([ProjectorModule, PeopleModule, EnrollmentModule, AssessmentModule]);
