import { setTimeout as delay } from 'node:timers/promises';
import { enrollmentIdOf } from '../../../packages/enrollment';
import { derivedId } from '../../../packages/eventsourcing';
import { personIdOf } from '../../../packages/people';
import type { BulkLine } from '../../shared/bulk-commands';
import type { Problem } from '../../shared/problems';
import { type AttestClient, type BulkCommand, ProblemError } from '../client';
import { UsageError } from '../data-folder';
import { readCsv, required } from './csv';
import { type ImportSummary, ImportTally } from './import-tally';

/** Everybody is here from this day on; the data does not say when people joined the university. */
const JOINED = '2012-01-01T00:00:00.000Z';
const CHUNK = 2_000;
/** How often a chunk is sent when it fails for now, and the rest between, in milliseconds, which grows. */
const TRIES = 5;
const RETRY_AFTER = 500;
const PASS_MARK = 40;
const FULL_MARK = 100;

/** Courses and people are the ground; the rows of registrations, results and assessments are the facts. */
export const OULAD_SETUP = ['courses', 'managers', 'learners'];

/** A row of the data on its way to a command, which is made only once it is sent: ids cost more than all else. */
interface Fact {
  readonly kind: string;
  readonly key: string;
  readonly command: string;
  readonly data: () => object;
}

/** The org unit that a region of the data stands for. */
export function regionUnit(region: string): string {
  return region.toLowerCase().replaceAll(' ', '-');
}

export function courseId(row: { readonly [column: string]: string | undefined }): string {
  return `${required(row, 'code_module')}-${required(row, 'code_presentation')}`;
}

/** The moment so many days after a presentation begins: `2013B` starts 2013-02-01, `2013J` 2013-10-01. */
export function presentationDay(presentation: string, day: number): string {
  const begins = Date.UTC(Number(presentation.slice(0, 4)), presentation.endsWith('B') ? 1 : 9, 1);
  return new Date(begins + day * 86_400_000).toISOString();
}

/**
 * Sends the OULAD data of a folder through the bulk door. Every fact has an id of its own, so the import may be interrupted and repeated.
 * @param onProgress gets the number of facts answered since the last call, as the answers come; once for a fact that is sent again
 */
export async function importOulad(
  client: Pick<AttestClient, 'bulk'>,
  tenant: string,
  folder: string,
  onProgress: (settled: number) => void,
): Promise<ImportSummary> {
  const tally = new ImportTally();
  for await (const { facts: chunk, commands } of oneAhead(chunks(facts(tenant, folder)))) {
    for (const { kind } of chunk) tally.sent(kind);
    for (const [index, line] of (await send(client, commands, onProgress)).entries()) {
      const { kind } = chunk[index]!;
      const { id } = commands[index]!;
      if (line.outcome !== 'refused') tally.settled(kind, id, line.outcome);
      else tally.settled(kind, id, 'refused', line.problem.detail);
    }
  }
  return tally.summary(OULAD_SETUP);
}

/**
 * The answers to a chunk. A line that failed for now says nothing of its fact, and later lines of the same person may have been refused for
 * want of it: then the whole chunk is sent again, of which the store knows what it has.
 */
async function send(
  client: Pick<AttestClient, 'bulk'>,
  commands: readonly BulkCommand[],
  onProgress: (answered: number) => void,
): Promise<BulkLine[]> {
  const answers: BulkLine[] = [];
  for (let tries = 1; ; tries++) {
    let index = 0;
    for await (const line of client.bulk(commands)) {
      const earlier = answers[index];
      if (!earlier) onProgress(1);
      if (earlier?.outcome !== 'accepted') answers[index] = line;
      index++;
    }
    if (index < commands.length) {
      throw new UsageError(
        `The answer ended after ${index} of ${commands.length} lines: is Attest up? Repeat the import.`,
      );
    }
    const failed = answers.find((line) => line.outcome === 'refused' && isForNow(line.problem));
    if (!failed) return answers;
    if (tries === TRIES) throw new ProblemError((failed as { problem: Problem }).problem);
    await delay(RETRY_AFTER * tries);
  }
}

function isForNow({ status }: Problem): boolean {
  return status >= 500 || status === 409;
}

/** How many commands the import of this folder sends. */
export async function countOulad(folder: string): Promise<number> {
  let count = 0;
  for await (const _ of facts('count', folder)) count++;
  return count;
}

async function* facts(tenant: string, folder: string): AsyncGenerator<Fact> {
  const lengths = new Map<string, number>();
  for await (const row of readCsv(folder, 'courses')) {
    const course = courseId(row);
    lengths.set(course, Number(required(row, 'module_presentation_length')));
    const occurredAt = presentationDay(required(row, 'code_presentation'), 0);
    yield fact('courses', course, 'publish-course', () => ({ course, title: course.replace('-', ', '), occurredAt }));
  }
  yield* people(tenant, folder);
  yield* enrollments(tenant, folder, lengths);
  yield* attempts(tenant, folder);
}

async function* people(tenant: string, folder: string): AsyncGenerator<Fact> {
  const regions = new Set<string>();
  const students = new Set<string>();
  const hire = (kind: string, key: string, employeeNumber: string, job: () => object): Fact => {
    const data = () => ({ person: personIdOf(tenant, employeeNumber), employeeNumber, ...job(), occurredAt: JOINED });
    return fact(kind, key, 'hire-person', data);
  };
  for await (const row of readCsv(folder, 'studentInfo')) {
    const orgUnit = regionUnit(required(row, 'region'));
    const manager = `manager-${orgUnit}`;
    if (!regions.has(orgUnit)) {
      regions.add(orgUnit);
      yield hire('managers', orgUnit, manager, () => ({
        jobTitle: 'Regional Manager',
        role: 'regional-manager',
        orgUnit,
      }));
    }
    const student = required(row, 'id_student');
    if (students.has(student)) continue;
    students.add(student);
    const job = { jobTitle: 'Student', role: 'student', orgUnit };
    yield hire('learners', student, student, () => ({ ...job, manager: personIdOf(tenant, manager) }));
  }
}

/**
 * A registration enrols, an unregistration date withdraws, the final result ends the enrollment on the last day. Registrations
 * without a date count from the first day.
 */
async function* enrollments(
  tenant: string,
  folder: string,
  lengths: ReadonlyMap<string, number>,
): AsyncGenerator<Fact> {
  const registrations = new Map<string, { registered: string | undefined; unregistered: string | undefined }>();
  for await (const row of readCsv(folder, 'studentRegistration')) {
    const { date_registration: registered, date_unregistration: unregistered } = row;
    registrations.set(`${courseId(row)}/${required(row, 'id_student')}`, { registered, unregistered });
  }
  for await (const row of readCsv(folder, 'studentInfo')) {
    const course = courseId(row);
    const presentation = required(row, 'code_presentation');
    const student = required(row, 'id_student');
    const key = `${course}/${student}`;
    const on = (kind: string, command: string, day: number, more: object = {}): Fact => {
      const occurredAt = presentationDay(presentation, day);
      return fact(kind, key, command, () => ({ person: personIdOf(tenant, student), course, occurredAt, ...more }));
    };
    const { registered, unregistered } = registrations.get(key) ?? {};
    yield on('registrations', 'enroll-learner', Number(registered ?? 0));
    if (unregistered !== undefined) yield on('withdrawals', 'withdraw-learner', Number(unregistered));
    const end = lengths.get(course)!;
    const result = required(row, 'final_result');
    if (result === 'Withdrawn') yield on('results', 'withdraw-learner', end);
    else if (result === 'Fail') yield on('results', 'fail-enrollment', end, { result });
    else yield on('results', 'complete-enrollment', end, { result });
  }
}

async function* attempts(tenant: string, folder: string): AsyncGenerator<Fact> {
  const assessments = new Map<string, { course: string; presentation: string }>();
  for await (const row of readCsv(folder, 'assessments')) {
    const presentation = required(row, 'code_presentation');
    assessments.set(required(row, 'id_assessment'), { course: courseId(row), presentation });
  }
  for await (const row of readCsv(folder, 'studentAssessment')) {
    const student = required(row, 'id_student');
    const assessment = required(row, 'id_assessment');
    const { course, presentation } = assessments.get(assessment)!;
    const occurredAt = presentationDay(presentation, Number(required(row, 'date_submitted')));
    yield fact('attempts', `${student}/${assessment}`, 'record-attempt', () => {
      const person = personIdOf(tenant, student);
      return {
        attempt: derivedId('oulad-attempt', enrollmentIdOf(person, course), assessment),
        person,
        course,
        assessment,
        banked: row.is_banked === '1',
        occurredAt,
        ...(row.score !== undefined && { score: { raw: Number(row.score), max: FULL_MARK, passMark: PASS_MARK } }),
      };
    });
  }
}

function fact(kind: string, key: string, command: string, data: () => object): Fact {
  return { kind, key, command, data };
}

/** Facts that are sent in one request, and the commands that they became. */
interface Chunk {
  readonly facts: readonly Fact[];
  readonly commands: readonly BulkCommand[];
}

async function* chunks(all: AsyncIterable<Fact>): AsyncGenerator<Chunk> {
  let chunk: Fact[] = [];
  for await (const each of all) {
    chunk.push(each);
    if (chunk.length < CHUNK) continue;
    yield chunkOf(chunk);
    chunk = [];
  }
  if (chunk.length > 0) yield chunkOf(chunk);
}

function chunkOf(facts: readonly Fact[]): Chunk {
  const commands = facts.map(({ kind, key, command, data }) => ({
    command,
    id: `oulad:${kind}:${key}`,
    data: data(),
  }));
  return { facts, commands };
}

/** The next is made while one is worked on. */
async function* oneAhead<T>(all: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = all.next();
  try {
    for (let each = await next; !each.done; each = await next) {
      next = all.next();
      next.catch(() => undefined); // it is thrown when its turn comes
      yield each.value;
    }
  } finally {
    await all.return(undefined);
  }
}
