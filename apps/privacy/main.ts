import { runService } from '../shared/bootstrap';
import { PrivacyModule } from './privacy.module';

void runService([PrivacyModule]);
