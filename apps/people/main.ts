import { runService } from '../shared/bootstrap';
import { PeopleModule } from './people.module';

void runService([PeopleModule]);
