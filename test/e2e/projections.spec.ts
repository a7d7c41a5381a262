import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { ProjectionRow } from '../../apps/projector/projection-status';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { readingThrough } from './reading-through';
import { attempted, newTenant } from './records';
import { useOwnStack } from './running-stack';
import { until } from './until';

const ROOT = join(__dirname, '..', '..');
const OULAD = join(ROOT, 'test/fixtures/oulad');
/** A sixth of it where nobody asked for the full size: to build everything anew is as many steps, whatever it is made of. */
const [MODULE, DOCUMENTS] = process.env.ATTEST_TEST_FULL_SIZE ? ['', 3_000] : ['BBB', 500];
const SENDERS = 4;
/** Milliseconds that a sender rests between two commands: what it sends is counted, and who carries it changes meanwhile. */
const REST = 50;

/** Writes a folder with what the data has of a module. */
function writeModule(module: string, folder: string): void {
  mkdirSync(folder);
  const linesOf = (file: string): string[] => readFileSync(join(OULAD, file), 'utf8').trimEnd().split('\n');
  const write = (file: string, isOfModule: (line: string) => boolean): void => {
    const [header, ...lines] = linesOf(file);
    writeFileSync(join(folder, file), [header, ...lines.filter(isOfModule), ''].join('\n'));
  };
  const begins = (line: string): boolean => line.startsWith(`${module},`);
  for (const file of ['courses', 'assessments', 'studentInfo', 'studentRegistration']) write(`${file}.csv`, begins);
  const assessments = linesOf('assessments.csv').filter(begins).map((line) => line.split(',')[2]); // prettier-ignore
  write('studentAssessment.csv', (line) => assessments.includes(line.split(',')[1]));
}

describe('Projections', () => {
  const clients: MongoClient[] = [];
  // Before the stack ends: a client that ends after its server looks for it for half a minute.
  afterAll(() => Promise.all(clients.map((client) => client.close())));
  const used = useOwnStack();
  const mongo = async (): Promise<MongoClient> => {
    const client = await MongoClient.connect(used.stack.urls.mongodb);
    clients.push(client);
    return client;
  };

  async function cli<T>(...args: readonly string[]): Promise<{ code: number | null; answer: T }> {
    const { code, stdout, stderr } = await used.stack.cli('projections', ...args, '--json');
    if (code !== 0 && stdout === '') throw new Error(stderr.slice(-2_000));
    return { code, answer: JSON.parse(stdout) as T };
  }

  beforeAll(async () => {
    const folder = MODULE === '' ? OULAD : join(used.stack.data, MODULE);
    if (MODULE !== '') writeModule(MODULE, folder);
    const { code, stderr } = await used.stack.cli('import', 'oulad', folder);
    if (code !== 0) throw new Error(stderr.slice(-2_000));
    await (await used.stack.as('admin', { tenant: 'ou' })).settled();
  }, 240_000);

  it('given a log that everybody has read, when they are listed, then each tells where it stands', async () => {
    const client = await used.stack.as('admin');
    let rows: ProjectionRow[] = [];
    let metrics = '';
    // Deadlines that come due move the log by themselves, and seals, which are no news to anybody, the readers past its last event.
    await until(async () => {
      const log = BigInt(await client.settled());
      rows = (await cli<ProjectionRow[]>('list')).answer;
      metrics = await (await fetch(`${used.stack.urls.api}/metrics`)).text();
      const told = /^attest_projection_position\{projection="attempts",sink="mongo",state="live"\} (\d+)$/m.exec(
        metrics,
      );
      return told !== null && [told[1]!, ...rows.map(({ position }) => position)].every((at) => BigInt(at) >= log);
    });
    expect(rows.filter(({ sink }) => sink === 'mongo').map(({ projection }) => projection)).toContain('transcripts');
    expect(rows.map(({ projection }) => projection)).toEqual(expect.arrayContaining(['clickhouse', 'assignment']));
    for (const row of rows) expect(row).toMatchObject({ state: 'live', lagEvents: 0, parked: 0 });
    expect(metrics).toContain('attest_projection_lag_events{projection="clickhouse",sink="clickhouse",state="live"} 0');
    expect(metrics).toMatch(/^attest_projection_events_total\{projection="attempts"\} [1-9]\d*$/m);
    expect(metrics).toContain('process_resident_memory_bytes');
  });

  it('given those who read without a pause, when every read model and table is built anew, then they see no error and no step back', async () => {
    const reading = await readingThrough(used.stack, 'ou', async () => {
      const { answer } = await cli<{ projection: string; differing: number; documents: number }[]>(
        'rebuild',
        '--all',
        '--tenant',
        'ou',
      );
      expect(answer.map(({ projection }) => projection)).toEqual(
        expect.arrayContaining(['transcripts', 'attempt_facts', 'team_lines', 'activity_days']),
      );
      expect(answer.every(({ differing }) => differing === 0)).toBe(true);
      expect(answer.reduce((sum, { documents }) => sum + documents, 0)).toBeGreaterThan(DOCUMENTS);
      await Promise.all([cli('rollback', 'attempts'), cli('rollback', 'attempt_facts')]);
    });
    expect(reading).toMatchObject({ errors: [], stepsBack: [] });
    expect(reading.reads).toBeGreaterThan(20);
    expect(reading.writes).toBeGreaterThan(2);
    const compliance = await used.stack.as('compliance', { tenant: 'ou' });
    const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check).toMatchObject({ ok: true, differing: 0 });
  }, 240_000);

  it('given a document that says something else than the log, when it is built anew, then --diff names it', async () => {
    const db = (await mongo()).db();
    const states = db.collection<{ _id: string; active: { collection: string } }>('read_models');
    const { collection } = (await states.findOne({ _id: 'people' }))!.active;
    const people = db.collection<{ _id: string; role: string }>(collection);
    const victim = (await people.findOne({ tenant: 'ou' }))!;
    await people.updateOne({ _id: victim._id }, { $set: { role: 'impostor' } });
    const { stdout } = await used.stack.cli('projections', 'rebuild', 'people', '--diff', '--tenant', 'ou');
    expect(stdout).toMatch(new RegExp(`people +${victim._id} +ou +different +\\["role"\\]`));
    const admin = await used.stack.as('admin', { tenant: 'ou' });
    expect(await admin.read(`/v1/people/${victim._id}`)).toMatchObject({ role: victim.role });
  }, 120_000);

  it('given parked events, when they are driven again, then what passes is gone and what fails is told', async () => {
    const db = (await mongo()).db();
    const tenant = newTenant();
    const [person, stranger] = [randomUUID(), randomUUID()];
    const parked = (position: string, rest: object) => ({
      _id: `x:${position}`,
      position,
      stream: `${tenant}.person-${person}`,
      type: 'PersonHired',
      reason: 'Error: out of order',
      parkedAt: new Date(),
      ...rest,
    });
    const issued = (data: object) => ({
      reaction: 'when-hired-then-enrol',
      type: 'EnrollLearner',
      at: '2026-01-01T00:00:00.000Z',
      data,
      tenant,
      commandId: randomUUID(),
      correlationId: randomUUID(),
      causationId: randomUUID(),
    });
    const states = db.collection<{ _id: string; active: { collection: string } }>('read_models');
    const { collection: consumer } = (await states.findOne({ _id: 'job_titles' }))!.active;
    const command = issued({ person, course: 'safety' });
    await db
      .collection<{ _id: string }>('parked')
      .insertMany([
        parked('1', { consumer }),
        parked('2', { consumer: 'when-hired-then-enrol', command }),
        parked('3', { consumer: 'when-hired-then-enrol', command: issued({ person: stranger, course: '' }) }),
      ]);
    expect((await cli<object[]>('parked', '--tenant', tenant)).answer).toHaveLength(3);
    expect((await cli<object[]>('parked', '--tenant', newTenant())).answer).toEqual([]);

    const { code, answer } = await cli<{ stillFailing: object[] }>('redrive', '--tenant', tenant);
    expect(answer).toMatchObject({ rebuilding: ['job_titles'], commands: 2, refused: 1 });
    expect(answer.stillFailing).toMatchObject([{ position: '3', reason: expect.stringContaining('course') as string }]);
    expect(code).toBe(1);
    const again = await cli<object>('redrive', '--tenant', tenant);
    expect(again).toMatchObject({ code: 1, answer: { rebuilding: [], commands: 1, refused: 1 } });
    const admin = await used.stack.as('admin', { tenant });
    await admin.settled();
    expect(await admin.read('/v1/enrollments', { person })).toHaveLength(1);
  }, 120_000);

  it('given a name that there is not, or nothing to go back to, then the commands say so', async () => {
    const unknown = await used.stack.cli('projections', 'rebuild', 'nobody');
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no read model nobody') as string });
    const nothing = await used.stack.cli('projections', 'rebuild');
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') as string });
    const learner = await used.stack.as('learner');
    expect((await learner.get('/v1/projections')).status).toBe(403);
  });

  describe('in several processes', () => {
    const projectors: ChildProcess[] = [];
    afterEach(() => Promise.all(projectors.splice(0).map(end)));

    function startProjector(): ChildProcess {
      const { eventstore, mongodb, clickhouse } = used.stack.urls;
      const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATTEST_'));
      const env = {
        ...Object.fromEntries(inherited),
        ATTEST_EVENTSTORE_URL: eventstore,
        ATTEST_MONGODB_URL: mongodb,
        ATTEST_CLICKHOUSE_URL: clickhouse,
        ATTEST_MASTER_KEY: readFileSync(join(used.stack.data, 'master-keys'), 'utf8').trim(),
        ATTEST_ISSUER: 'nobody',
        ATTEST_JWKS_URL: 'http://127.0.0.1:9/jwks',
        ATTEST_HOST: '127.0.0.1',
        ATTEST_PORT: '0',
        ATTEST_LOG: 'silent',
      };
      const projector = spawn(process.execPath, [join(ROOT, 'dist/apps/projector/main.js')], { env, stdio: 'inherit' });
      projectors.push(projector);
      return projector;
    }

    async function end(projector: ChildProcess): Promise<void> {
      if (projector.exitCode !== null || projector.signalCode !== null) return;
      const ended = once(projector, 'exit');
      projector.kill('SIGKILL');
      await ended;
    }

    it('given projectors that share the work, when one is killed and one sleeps and wakes, then each event is applied once', async () => {
      const db = (await mongo()).db();
      interface Lease {
        _id: string;
        owner: string;
        process?: { pid: number };
      }
      /** Names of what each living process holds, by its id. */
      const holdings = async (): Promise<Map<number, string[]>> => {
        const leases = await db.collection<Lease>('leases').find().toArray();
        const runners = leases.filter(({ process }) => process !== undefined);
        const heldBy = (owner: string): string[] =>
          leases.filter((lease) => lease.owner === owner && lease.process === undefined).map(({ _id }) => _id);
        return new Map(runners.map(({ owner, process }) => [process!.pid, heldBy(owner)]));
      };
      const holds = async ({ pid }: ChildProcess): Promise<number> => (await holdings()).get(pid!)?.length ?? 0;

      const [killed, sleeping] = [startProjector(), startProjector()];
      await until(async () => (await holds(killed)) >= 4 && (await holds(sleeping)) >= 4, 120_000);

      const tenant = newTenant();
      const admin = await used.stack.as('admin', { tenant });
      const sent: string[] = [];
      let sending = true;
      const send = async (): Promise<void> => {
        for (const person = randomUUID(); sending;) {
          const attempt = attempted(person, 'safety', 50);
          await admin.command('record-attempt', attempt);
          sent.push(attempt.attempt);
          await delay(REST);
        }
      };
      const senders = Array.from({ length: SENDERS }, send);
      const untilMore = async (): Promise<void> => {
        const before = sent.length;
        await until(() => sent.length >= before + 50, 120_000);
      };
      await untilMore();
      await end(killed);
      await until(async () => (await holds(killed)) === 0 && (await holds(sleeping)) >= 6, 120_000);
      await untilMore();
      sleeping.kill('SIGSTOP');
      // Counted by themselves: what the killed one held may still be on its way to its next holder.
      const all = await db.collection('leases').countDocuments({ process: { $exists: false } });
      await until(async () => (await holdings()).get(used.stack.pid)!.length === all, 120_000);
      await untilMore();
      sleeping.kill('SIGCONT');
      await until(async () => (await holds(sleeping)) >= 6, 120_000);
      await untilMore();
      sending = false;
      await Promise.all(senders);

      const position = await admin.settled();
      const { rows } = await admin.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes', {
        minPosition: position,
      });
      expect(rows).toMatchObject([{ course: 'safety', attempts: sent.length }]);
      const compliance = await used.stack.as('compliance', { tenant });
      const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
      expect(check).toMatchObject({ ok: true, differences: [] });
    }, 400_000);
  });
});
