import { runService } from '../shared/bootstrap';
import { AssessmentModule } from './assessment.module';

void runService([AssessmentModule]);
