import { runService } from '../shared/bootstrap';
import { AuditModule } from './audit.module';

void runService([AuditModule]);
