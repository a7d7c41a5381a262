import { Controller, Get, Param, ParseUUIDPipe, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { type AttemptView, viewOf } from '../../packages/assessment';
import type { Caller } from '../../packages/auth';
import type { Permission } from '../../packages/people';
import { findAssessment } from '../../projections/mongo/assessments';
import { findAttemptPaper } from '../../projections/mongo/attempt-papers';
import { type AttemptDocument, findAttempts } from '../../projections/mongo/attempts';
import type { Answer } from '../../projections/mongo/collection';
import { type EnrollmentDocument, findEnrollment, findEnrollments } from '../../projections/mongo/enrollments';
import { findJobTitles, type JobTitleDocument } from '../../projections/mongo/job-titles';
import { findNotifications, type NotificationDocument } from '../../projections/mongo/notifications';
import { findPeople, findPerson, type PersonDocument } from '../../projections/mongo/people';
import { findPermissions } from '../../projections/mongo/permissions';
import { findTeam, type TeamProgress } from '../../projections/mongo/team-progress';
import { findTranscript, type TranscriptDocument } from '../../projections/mongo/transcripts';
import { Allow, CallerOf } from '../shared/authentication';
import { InvalidParameterError, NotFoundError } from '../shared/problems';
import { requireAccessTo, requireTeamSight, seesWholeTenant } from './access';
import {
  JobTitleParameters,
  LearningParameters,
  NotificationParameters,
  PeopleParameters,
  QueryParameters,
} from './query-parameters';
import { ReadSide } from './read-side';

export interface PersonPermissions {
  readonly person: string;
  readonly role: string | null;
  readonly permissions: readonly Permission[];
}

/** How people stand now, from the MongoDB read models. */
@ApiTags('queries')
@ApiBearerAuth()
@Controller('v1')
export class QueriesController {
  constructor(private readonly readSide: ReadSide) {}

  @Get('people')
  async people(
    @CallerOf() caller: Caller,
    @Query() { minPosition, limit, after, ...filter }: PeopleParameters,
  ): Promise<Answer<PersonDocument>[]> {
    await this.readSide.awaitMongo(minPosition);
    const { db } = this.readSide;
    await requireTeamSight(db, caller);
    if (!seesWholeTenant(caller)) {
      if (!filter.manager) throw new InvalidParameterError('manager', 'must name you or a manager who reports to you');
      await requireAccessTo(db, caller, filter.manager);
    }
    return findPeople(db, caller.tenant, filter, { limit, after });
  }

  @Get('people/:person')
  async person(
    @CallerOf() caller: Caller,
    @Param('person', ParseUUIDPipe) person: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<Answer<PersonDocument>> {
    await this.readSide.awaitMongo(minPosition);
    await requireAccessTo(this.readSide.db, caller, person);
    return found(await findPerson(this.readSide.db, caller.tenant, person), `person ${person}`);
  }

  /** What the role that the person holds permits. */
  @Get('people/:person/permissions')
  async permissions(
    @CallerOf() caller: Caller,
    @Param('person', ParseUUIDPipe) id: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<PersonPermissions> {
    await this.readSide.awaitMongo(minPosition);
    const { db } = this.readSide;
    await requireAccessTo(db, caller, id);
    const { role, status } = found(await findPerson(db, caller.tenant, id), `person ${id}`);
    return { person: id, role, permissions: status === 'active' ? await findPermissions(db, caller.tenant, role) : [] };
  }

  @Get('people/:person/transcript')
  async transcript(
    @CallerOf() caller: Caller,
    @Param('person', ParseUUIDPipe) person: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<Answer<TranscriptDocument>> {
    await this.readSide.awaitMongo(minPosition);
    await requireAccessTo(this.readSide.db, caller, person);
    return found(await findTranscript(this.readSide.db, caller.tenant, person), `transcript of ${person}`);
  }

  @Get('teams/:manager')
  async team(
    @CallerOf() caller: Caller,
    @Param('manager', ParseUUIDPipe) manager: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<TeamProgress> {
    await this.readSide.awaitMongo(minPosition);
    await requireAccessTo(this.readSide.db, caller, manager);
    return findTeam(this.readSide.db, caller.tenant, manager, new Date().toISOString().slice(0, 10));
  }

  @Get('enrollments')
  async enrollments(
    @CallerOf() caller: Caller,
    @Query() { minPosition, limit, after, ...filter }: LearningParameters,
  ): Promise<Answer<EnrollmentDocument>[]> {
    await this.readSide.awaitMongo(minPosition);
    await this.requirePerson(caller, filter.person);
    return findEnrollments(this.readSide.db, caller.tenant, filter, { limit, after });
  }

  @Get('enrollments/:enrollment')
  async enrollment(
    @CallerOf() caller: Caller,
    @Param('enrollment', ParseUUIDPipe) id: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<Answer<EnrollmentDocument>> {
    await this.readSide.awaitMongo(minPosition);
    const enrollment = found(await findEnrollment(this.readSide.db, caller.tenant, id), `enrollment ${id}`);
    await requireAccessTo(this.readSide.db, caller, enrollment.person);
    return enrollment;
  }

  /** What job titles stand for, and which of them nobody has mapped. */
  @Get('job-titles')
  @Allow('admin', 'compliance', 'analyst')
  async jobTitles(
    @CallerOf() { tenant }: Caller,
    @Query() { minPosition, limit, after, mapped }: JobTitleParameters,
  ): Promise<Answer<JobTitleDocument>[]> {
    await this.readSide.awaitMongo(minPosition);
    const filter = mapped === undefined ? {} : { mapped: mapped === 'true' };
    return findJobTitles(this.readSide.db, tenant, filter, { limit, after });
  }

  /** The outbox: what people are to be told, and what they were told. */
  @Get('notifications')
  async notifications(
    @CallerOf() caller: Caller,
    @Query() { minPosition, limit, after, ...filter }: NotificationParameters,
  ): Promise<Answer<NotificationDocument>[]> {
    await this.readSide.awaitMongo(minPosition);
    await this.requirePerson(caller, filter.person);
    return findNotifications(this.readSide.db, caller.tenant, filter, { limit, after });
  }

  @Get('attempts')
  async attempts(
    @CallerOf() caller: Caller,
    @Query() { minPosition, limit, after, ...filter }: LearningParameters,
  ): Promise<Answer<AttemptDocument>[]> {
    await this.readSide.awaitMongo(minPosition);
    await this.requirePerson(caller, filter.person);
    const found = await findAttempts(this.readSide.db, caller.tenant, filter, { limit, after });
    // Points of single questions tell which answers are right: whether a learner may know is for the feedback policy to say.
    return seesWholeTenant(caller) ? found : found.map((attempt) => ({ ...attempt, results: [] }));
  }

  /** An attempt that was taken here, question by question, as its learner may see it now. */
  @Get('attempts/:attempt')
  async attempt(
    @CallerOf() caller: Caller,
    @Param('attempt', ParseUUIDPipe) id: string,
    @Query() { minPosition }: QueryParameters,
  ): Promise<AttemptView> {
    await this.readSide.awaitMongo(minPosition);
    const { db } = this.readSide;
    const paper = found(await findAttemptPaper(db, caller.tenant, id), `attempt ${id} that was taken here`);
    await requireAccessTo(db, caller, paper.person);
    const { versions } = found(
      await findAssessment(db, caller.tenant, paper.assessment),
      `assessment ${paper.assessment}`,
    );
    const version = versions.find(({ version }) => version === paper.assessmentVersion);
    return viewOf(paper, found(version, 'such version'), versions.at(-1)!, new Date().toISOString());
  }

  /** Whoever does not see the whole tenant must say whose records they want. */
  private async requirePerson(caller: Caller, person: string | undefined): Promise<void> {
    if (seesWholeTenant(caller)) return;
    if (!person) throw new InvalidParameterError('person', 'must name you or somebody who reports to you');
    await requireAccessTo(this.readSide.db, caller, person);
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new NotFoundError(`There is no ${what}.`);
  return value;
}
