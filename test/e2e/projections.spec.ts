import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { ProjectionRow } from '../../apps/projector/projection-status';
import { readingThrough } from './reading-through';
import { newTenant } from './records';
import { useOwnStack } from './running-stack';
import { until } from './until';

const ROOT = join(__dirname, '..', '..');
const OULAD = join(ROOT, 'test/fixtures/oulad');
/** A sixth of it where nobody asked for the full size: to build everything anew is as many steps, whatever it is made of. */
const [MODULE, DOCUMENTS] = process.env.ATTEST_TEST_FULL_SIZE ? ['', 3_000] : ['BBB', 500];

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
});
