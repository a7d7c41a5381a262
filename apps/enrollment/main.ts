import { runService } from '../shared/bootstrap';
import { EnrollmentModule } from './enrollment.module';

void runService([EnrollmentModule]);
