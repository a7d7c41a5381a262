import { EnrollmentModule } from '../enrollment/enrollment.module';
import { runService } from '../shared/bootstrap';
import { ProjectorModule } from './projector.module';

// Workflows issue enrollment commands; they are decided here and guarded by the expected revision like anywhere else.
void runService([ProjectorModule, EnrollmentModule]);
