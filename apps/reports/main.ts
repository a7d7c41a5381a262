import { runService } from '../shared/bootstrap';
import { ReportsModule } from './reports.module';

void runService([ReportsModule]);
