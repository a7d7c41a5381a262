import type { Command } from 'commander';
import type { CourseOutcomes, TeamCompliance } from '../../../projections/expected-reports';
import type { Report } from '../../reports/reports.controller';
import { answer, table } from '../terminal';
import { asOfOption, type Common, command, connect, knownAtOption, tenantOption } from './command';

export function addReportCommands(program: Command): void {
  const reporting = program.command('report').description('ask the warehouse');
  command(reporting, 'course-outcomes', 'enrollments and attempts of each course')
    .addOption(tenantOption('ou'))
    .option(...asOfOption)
    .option(...knownAtOption)
    .action(async (options: Common & { asOf?: string; knownAt?: string }) => {
      const client = await connect(options, 'analyst');
      await client.settled();
      answerReport(
        await client.get<Report<CourseOutcomes>>('/v1/reports/course-outcomes', {
          asOf: options.asOf,
          knownAt: options.knownAt,
        }),
        options,
      );
    });

  command(reporting, 'team-compliance', 'how the teams of each manager stand')
    .addOption(tenantOption('acme'))
    .option(...asOfOption)
    .option(...knownAtOption)
    .option('--manager <id>', 'only the teams of this manager and of everybody below')
    .action(async (options: Common & { asOf?: string; knownAt?: string; manager?: string }) => {
      const client = await connect(options, 'analyst');
      await client.settled();
      const { asOf, knownAt, manager } = options;
      answerReport(
        await client.get<Report<TeamCompliance>>('/v1/reports/team-compliance', { asOf, knownAt, manager }),
        options,
      );
    });
}

function answerReport(report: Report<object>, { json }: Common): void {
  const { position, time, effective } = report.asOf;
  answer(
    report,
    Boolean(json),
    () =>
      `${table(report.rows)}\n\nas of ${effective}, log position ${position} (recorded ${time ?? '-'}), digest ${report.digest}`,
  );
}
