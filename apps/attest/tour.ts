import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { enrollmentIdOf } from '../../packages/enrollment';
import { derivedId } from '../../packages/eventsourcing';
import { personIdOf } from '../../packages/people';
import type { CourseOutcomes, TeamCompliance } from '../../projections/expected-reports';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { ReplayAnswer } from '../audit/replay-answer';
import type { Report } from '../reports/reports.controller';
import { AttestClient, tokenFor } from './client';
import { DataFolder, UsageError } from './data-folder';
import { importEmployees } from './import/employees';
import type { Counts } from './import/import-tally';
import { importOulad } from './import/oulad';
import { publishSampleRules, SAMPLE_FOLDER } from './sample';
import { startStack } from './stack';
import { expectedFromEmployees, expectedFromOulad } from './tour-expectations';

export interface TourResult {
  /** Everything agreed. */
  readonly ok: boolean;
  readonly hr: {
    readonly ok: boolean;
    readonly facts: Counts;
    readonly teams: number;
    readonly members: number;
    readonly assigned: number;
  };
  readonly commands: {
    readonly ok: boolean;
    readonly single: number;
    readonly bulk: Counts;
    readonly readYourWrite: boolean;
  };
  readonly reports: {
    readonly ok: boolean;
    readonly courses: number;
    readonly attempts: number;
    readonly passed: number;
    readonly position: string;
  };
  readonly audit: {
    readonly ok: boolean;
    readonly events: number;
    readonly compared: number;
    readonly differing: number;
    readonly digest: string;
  };
  readonly seconds: number;
}

/**
 * The main job, once through, on a stack of its own that is taken down again. Checked against numbers counted from the CSV files.
 * @param files a folder with `employees` and `oulad` in it, as `attest import` takes them
 * @throws UsageError when one of them is missing
 */
export async function tour(say: (message: string) => void, files: string = SAMPLE_FOLDER): Promise<TourResult> {
  const [employees, oulad] = [subfolder(files, 'employees'), subfolder(files, 'oulad')];
  const folder = mkdtempSync(join(tmpdir(), 'attest-tour-'));
  const data = new DataFolder(folder);
  const startedAt = Date.now();
  say('Starting the engines and services on free ports ...');
  const stack = await startStack({ data, port: 0, report: say, logFile: data.logFile });
  try {
    const acme = new AttestClient(stack.urls.api, await tokenFor(data, 'acme', 'admin'));
    const ou = new AttestClient(stack.urls.api, await tokenFor(data, 'ou', 'admin'));

    say('The HRIS publishes hires, role changes, moves and departures over NATS ...');
    if (!stack.urls.nats) throw new Error('the tour needs nats-server: install it and try again');
    await publishSampleRules(acme);
    const none = (): void => undefined;
    const hrFacts = await importEmployees(stack.urls.nats, 'acme', employees, none, none);

    say('Learning apps send enrollments and attempts over HTTP, in bulk and one by one ...');
    const learning = await importOulad(ou, 'ou', oulad, none);
    const readYourWrite = await enrolOneByOne(ou);

    say('Waiting until every reader of the log has seen all of it ...');
    await acme.settled();

    say('Asking the reports, and holding them against the CSV files ...');
    const outcomes = await ou.get<Report<CourseOutcomes>>('/v1/reports/course-outcomes');
    const compliance = await acme.get<Report<TeamCompliance>>('/v1/reports/team-compliance');
    const rows = outcomes.rows.filter(({ course }) => course !== EXTRA.course);
    const expectedTeams = await expectedFromEmployees(employees);
    const teams = compliance.rows
      .map(({ managerEmployeeNumber: manager, members, assigned, completed }) => ({
        manager,
        members,
        assigned,
        completed,
      }))
      .sort((a, b) => (a.manager < b.manager ? -1 : 1));

    say('Replaying the log, and holding the stores against it ...');
    const replays = [];
    for (const tenant of ['acme', 'ou']) {
      const compliance = new AttestClient(stack.urls.api, await tokenFor(data, tenant, 'compliance'));
      replays.push(await compliance.get<ReplayAnswer>('/v1/audit/replay', { check: 'true' }));
    }

    const sum = <T>(list: readonly T[], count: (each: T) => number): number =>
      list.reduce((total, each) => total + count(each), 0);
    const hr = {
      ok: hrFacts.facts.refused === 0 && isDeepStrictEqual(teams, expectedTeams),
      facts: hrFacts.facts,
      teams: teams.length,
      members: sum(teams, ({ members }) => members),
      assigned: sum(teams, ({ assigned }) => assigned),
    };
    const commands = {
      ok:
        readYourWrite &&
        learning.facts.sent === learning.facts.accepted + learning.facts.alreadyKnown + learning.facts.refused,
      single: SINGLE_COMMANDS,
      bulk: learning.facts,
      readYourWrite,
    };
    const reports = {
      ok: sameOutcomes(rows, await expectedFromOulad(oulad)),
      courses: rows.length,
      attempts: sum(rows, ({ attempts }) => attempts),
      passed: sum(rows, ({ passed }) => passed),
      position: outcomes.asOf.position,
    };
    const audit = {
      ok: replays.every(({ check }) => check?.ok === true),
      events: sum(replays, ({ events }) => events),
      compared: sum(replays, ({ check }) => check!.compared),
      differing: sum(replays, ({ check }) => check!.differing),
      digest: replays[1]!.digest,
    };
    const ok = hr.ok && commands.ok && reports.ok && audit.ok;
    return { ok, hr, commands, reports, audit, seconds: (Date.now() - startedAt) / 1000 };
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function subfolder(files: string, name: string): string {
  const folder = join(files, name);
  if (existsSync(folder)) return folder;
  throw new UsageError(`There is no folder ${name} in ${files}.`);
}

/** A course beside those of the files, so that the single commands do not disturb the counts. */
const EXTRA = { course: 'tour', title: 'The tour itself' };
const SINGLE_COMMANDS = 4;

/** Four single commands; gives whether a query that waits for the last one's position shows its effect. */
async function enrolOneByOne(client: AttestClient): Promise<boolean> {
  const person = personIdOf('ou', '11391');
  const enrolled = { person, course: EXTRA.course };
  await client.command('publish-course', EXTRA);
  await client.command('enroll-learner', enrolled);
  await client.command('record-attempt', {
    ...enrolled,
    attempt: derivedId('tour', person),
    assessment: 'quiz',
    score: { raw: 9, max: 10, passMark: 6 },
  });
  const { position: minPosition } = await client.command('complete-enrollment', enrolled);
  const path = `/v1/enrollments/${enrollmentIdOf(person, EXTRA.course)}`;
  const enrollment = await client.get<EnrollmentDocument>(path, { minPosition });
  return enrollment.status === 'completed';
}

function sameOutcomes(found: readonly CourseOutcomes[], expected: readonly CourseOutcomes[]): boolean {
  const rounded = (rows: readonly CourseOutcomes[]) =>
    rows.map(({ meanScore, ...row }) => ({ ...row, meanScore: meanScore === null ? null : meanScore.toFixed(6) }));
  return isDeepStrictEqual(rounded(found), rounded(expected));
}
