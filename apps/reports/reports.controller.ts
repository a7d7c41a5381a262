import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Caller } from '../../packages/auth';
import { projectionVersion, reportDigest } from '../../projections/clickhouse/report-digest';
import type { CourseOutcomes, TeamCompliance } from '../../projections/expected-reports';
import { Allow, CallerOf } from '../shared/authentication';
import { requireAccessTo, requireTeamSight, seesWholeTenant } from './access';
import { momentOf, ReportParameters, TeamReportParameters } from './query-parameters';
import { ReadSide } from './read-side';

export interface Report<Row> {
  readonly asOf: {
    /** Position of the last event that the report includes. */
    readonly position: string;
    /** When the store recorded that event; null while the warehouse is empty. */
    readonly time: string | null;
    /** The moment in the world that the report is about. */
    readonly effective: string;
  };
  /** Name of the report, and what was asked of it. */
  readonly report: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Digest of the SQL that gave the rows. */
  readonly projection: string;
  readonly rows: readonly Row[];
  /** Over all of this: `attest audit reproduce` gets the same from the log alone. */
  readonly digest: string;
}

/** Reports from the ClickHouse warehouse. Each says how fresh it is. */
@ApiTags('reports')
@ApiBearerAuth()
@Controller('v1/reports')
export class ReportsController {
  constructor(private readonly readSide: ReadSide) {}

  @Get('course-outcomes')
  @Allow('admin', 'compliance', 'analyst', 'manager', 'service')
  courseOutcomes(
    @CallerOf() { tenant }: Caller,
    @Query() parameters: ReportParameters,
  ): Promise<Report<CourseOutcomes>> {
    return this.report('course-outcomes', parameters, { tenant });
  }

  @Get('team-compliance')
  async teamCompliance(
    @CallerOf() caller: Caller,
    @Query() parameters: TeamReportParameters,
  ): Promise<Report<TeamCompliance>> {
    await requireTeamSight(this.readSide.db, caller);
    const manager = parameters.manager ?? (seesWholeTenant(caller) ? '' : caller.sub);
    if (manager) await requireAccessTo(this.readSide.db, caller, manager);
    return this.report('team-compliance', parameters, { tenant: caller.tenant, manager });
  }

  private async report<Row extends object>(
    name: string,
    { asOf, minPosition, knownAt }: ReportParameters,
    parameters: { tenant: string } & Record<string, string>,
  ): Promise<Report<Row>> {
    await this.readSide.awaitWarehouse(minPosition);
    const { warehouse } = this.readSide;
    const effective = asOf === undefined ? new Date().toISOString() : momentOf(asOf);
    const { position, recordedAt: time } = await this.readSide.knownAt(knownAt);
    const rows = await warehouse.report<Row>(name, { ...parameters, asOf: effective, upTo: position });
    const answer = {
      report: name,
      parameters,
      asOf: { position: position.toString(), time, effective },
      projection: projectionVersion(name),
      rows,
    };
    return { ...answer, digest: reportDigest(answer) };
  }
}
