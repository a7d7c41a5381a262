import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tables } from '../../apps/attest/commands/tour';
import { readHrFacts } from '../../apps/attest/import/employees-facts';
import type { TourResult } from '../../apps/attest/tour';
import { fixtureSlice } from './fixture-slice';
import { CLI } from './reachable-stack';
import { attest, type CliResult, temporaryFolder } from './running-stack';

const OULAD = join('test', 'fixtures', 'oulad');
const EMPLOYEES = join('test', 'fixtures', 'employees');

describe('The command line', () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]): Promise<CliResult> => attest(args, { ATTEST_DATA: join(folder, 'data') });

  it.each([
    'up',
    'import',
    'import oulad',
    'import employees',
    'report',
    'report course-outcomes',
    'report team-compliance',
    'audit',
    'audit replay',
    'audit reconcile',
    'audit reproduce',
    'tour',
    'token',
  ])('given --help, when %s is asked, then it tells its usage on stdout', async (command) => {
    const { code, stdout, stderr } = await run(...command.split(' '), '--help');
    expect(stdout).toContain(`Usage: attest ${command} `);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('given any command, then neither framework nor driver is loaded before it needs one', async () => {
    const script = `
      process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')));
      process.argv.push('attest', '--help');
      require(${JSON.stringify(CLI)});`;
    const { stderr } = await promisify(execFile)(process.execPath, ['-e', script]);
    const packages = new Set([...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name]) => name));
    expect([...packages].sort()).toEqual(expect.arrayContaining(['commander', 'jose']));
    const heavy = /^(@nestjs|@eventstore|@clickhouse|@nats-io|@grpc|class-|mongodb|lmdb|chdb)/;
    expect([...packages].filter((name) => heavy.test(name!))).toEqual([]);
  });

  it.each([
    'import oulad ' + OULAD,
    'import employees ' + EMPLOYEES,
    'report course-outcomes',
    'report team-compliance --json',
    'audit replay --check',
  ])('given no running stack, when %s is asked, then one sentence says so', async (command) => {
    const { code, stdout, stderr } = await run(...command.split(' '));
    expect(stderr).toMatch(/^attest: No Attest runs in .*data\. Start one with "npm start".*\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('given a URL where nothing answers, then one sentence says so', async () => {
    const environment = { ATTEST_URL: 'http://127.0.0.1:9', ATTEST_TOKEN: 'any' };
    const { code, stderr } = await attest(['report', 'course-outcomes'], environment);
    expect(stderr).toMatch(/^attest: Attest does not answer at http:\/\/127\.0\.0\.1:9.*\n$/);
    expect(code).toBe(2);
  });

  it.each([['nonsense'], ['import', 'oulad'], ['up', '--colour'], ['token', '--role', 'emperor']])(
    'given arguments that make no sense, when %s is asked, then the usage is shown on stderr',
    async (...args) => {
      const { code, stdout, stderr } = await run(...args);
      expect(stderr).toMatch(/^error: .*\n\nUsage: attest/);
      expect(stdout).toBe('');
      expect(code).not.toBe(0);
    },
  );

  it.each([
    ['up', '--no-sample', '--port', 'abc'],
    ['up', '--no-sample', '--port', '65534'],
    ['up', '--no-sample', '--port', '-1'],
    ['token', '--expires-in', 'soon'],
  ])('given a value that cannot be, when %s %s %s %s is asked, then a plain sentence names it', async (...args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).toContain(args.at(-1));
    expect(stdout).toBe('');
    expect(code).not.toBe(0);
  });

  it('given a folder without data, when the tour is asked for, then one sentence says what is missing', async () => {
    const { code, stdout, stderr } = await run('tour', '--files', join('test', 'fixtures', 'oulad'));
    expect(stderr).toBe('attest: There is no folder employees in test/fixtures/oulad.\n');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('given a fresh machine, when the tour is asked for, then everything agrees with the files, and people are shown so', async () => {
    const files = process.env.ATTEST_TEST_FULL_SIZE ? [] : ['--files', slicesOf('employees', 'oulad')];
    const { code, stdout } = await run('tour', '--json', ...files);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as TourResult;
    expect(result).toMatchObject({ ok: true, hr: { ok: true }, commands: { ok: true }, reports: { ok: true } });
    expect(result).toMatchObject({ audit: { ok: true, differing: 0 } });
    const facts = (await readHrFacts(files[1] ? join(files[1], 'employees') : EMPLOYEES)).length;
    const forPeople = tables(result);
    expect(forPeople).toMatch(new RegExp(`^hr +true +${facts} +${facts} +0 +0 +7 `, 'm'));
    expect(forPeople).toMatch(/\nEverything agrees \(\d+\.\d s\)\.$/);
  });

  it('given the sample, when it is read, then it has as many facts of the HRIS as the README says', async () => {
    expect(await readHrFacts(EMPLOYEES)).toHaveLength(867);
  });

  /** A folder with a slice of each. */
  function slicesOf(...kinds: ('employees' | 'oulad')[]): string {
    const files = join(folder, 'files');
    mkdirSync(files);
    for (const kind of kinds) renameSync(fixtureSlice(kind), join(files, kind));
    return files;
  }
});
