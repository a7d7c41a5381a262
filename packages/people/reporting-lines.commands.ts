import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsOptional, IsUUID, ValidateNested } from 'class-validator';
import { type CommandDefinition, CommandInput, IsDay } from '../commands';
import { type ReportingLinesCommandData, reportingLinesDecider } from './reporting-lines.decider';

class ClaimInput {
  @IsDay()
  from!: string;

  @IsOptional()
  @IsUUID()
  manager!: string | null;

  @IsUUID()
  cause!: string;
}

class PlaceInReportingLine extends CommandInput implements Data<'PlaceInReportingLine'> {
  @IsUUID()
  person!: string;

  /** All that the HRIS said of whom the person reports to, in the order of days. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1_000)
  @ValidateNested({ each: true })
  @Type(() => ClaimInput)
  claims!: ClaimInput[];
}

class LeaveReportingLine extends CommandInput implements Data<'LeaveReportingLine'> {
  @IsUUID()
  person!: string;

  /** Id of the event by which they left, or came back. */
  @IsUUID()
  cause!: string;
}

class RejoinReportingLine extends LeaveReportingLine implements Data<'RejoinReportingLine'> {}

type Data<Type extends keyof ReportingLinesCommandData> = ReportingLinesCommandData[Type];

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const manager = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';
const cause = '3d0d0f0e-6a55-5b0e-9d0c-2f6f0e7c1f21';

export const reportingLinesCommands: readonly CommandDefinition[] = [
  {
    type: 'PlaceInReportingLine',
    summary: 'Set whom a person reports to, with all that was said of it before; sent by the workflow.',
    input: PlaceInReportingLine,
    roles: ['admin', 'service'],
    decider: reportingLinesDecider,
    example: { person, claims: [{ from: '2026-03-01', manager, cause }] },
  },
  {
    type: 'LeaveReportingLine',
    summary: 'Let the people of somebody who has left report to the next manager up; sent by the workflow.',
    input: LeaveReportingLine,
    roles: ['admin', 'service'],
    decider: reportingLinesDecider,
    example: { person, cause },
  },
  {
    type: 'RejoinReportingLine',
    summary: 'Let somebody who came back lead people again; sent by the workflow.',
    input: RejoinReportingLine,
    roles: ['admin', 'service'],
    decider: reportingLinesDecider,
    example: { person, cause },
  },
];
