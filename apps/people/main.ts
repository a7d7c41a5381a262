import { runService } from '../shared/bootstrap';
import { HrisModule, PeopleModule } from './people.module';

void runService([PeopleModule, HrisModule]);
