import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Promotion } from '../../apps/attest/promotion';
import type { Explanation } from '../../apps/audit/why';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { RunningStack } from './running-stack';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const DEFAULT_API = 'http://127.0.0.1:7400';

/** The commands that a test cannot run within itself, and where they are run instead. */
const RUN_ELSEWHERE: Readonly<Record<string, () => void>> = {
  'npm ci && npm start': () => {
    expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm ci\b/m);
    expect(scripts().start).toBe('node --max-semi-space-size=32 --no-memory-reducer dist/apps/attest/cli.js up'); // which is what every stack of these tests runs
  },
  'npm test': () => expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm test$/m),
  'npm run lint': () => expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm run lint$/m),
  // Takes longer than all other commands together.
  'npx attest tour': () =>
    expect(readFileSync(join(__dirname, 'cli.spec.ts'), 'utf8')).toMatch(
      /^ +const .* = await run\('tour', '--json', \.\.\.files\);$/m,
    ),
  'npm run bench -- engines --json': () => expect(scripts().bench).toBe('node dist/test/bench/main.js'),
  'npm run bench -- load --quick --json': () => expect(scripts().bench).toBe('node dist/test/bench/main.js'),
};

function scripts(): Readonly<Record<string, string>> {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;
}

/** Every block of shell commands, in the order of the page. */
const blocks = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block!.trim());
const runnable = blocks
  .map((block) =>
    block
      .split('\n')
      .filter((line) => !(line in RUN_ELSEWHERE))
      .join('\n'),
  ) // prettier-ignore
  .filter((block) => block.trim() !== '');

/** One stack and one load of the sample for all of it: loading takes longer than everything else here. */
let stack: RunningStack;
const environment = { ATTEST_SEAL_SECONDS: '1' };

beforeAll(async () => {
  stack = await RunningStack.start({ sample: true, environment });
});
afterAll(async () => {
  await stack.stop();
  rmSync(stack.data, { recursive: true });
});

describe('The sample', () => {
  const counts = async (): Promise<[string, object[], object[]]> => {
    const analyst = await stack.as('analyst', { tenant: 'ou' });
    await analyst.settled();
    const outcomes = await analyst.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes');
    const acme = await stack.as('analyst', { tenant: 'acme' });
    const { rows } = await acme.read<Report<object>>('/v1/reports/team-compliance', { asOf: '2026-01-01' });
    return [outcomes.asOf.position, [...outcomes.rows], [...rows]];
  };

  it('is loaded by the first start, once, and survives a restart', async () => {
    const before = await counts();
    expect(before[1]).toHaveLength(3);
    expect(before[2]).toHaveLength(7);
    await stack.stop();
    stack = await RunningStack.start({ data: stack.data, sample: true, environment });
    expect(await counts()).toEqual(before);
  });
});

describe('The promotion', () => {
  let promotion: Promotion;

  beforeAll(async () => {
    const { code, stdout, stderr } = await stack.cli('scenario', 'promotion', '--json');
    if (code !== 0) throw new Error(stderr);
    promotion = JSON.parse(stdout) as Promotion;
  });

  it('changes role, permissions, enrollments and dashboard, and tells the person', () => {
    const inThirtyDays = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    expect(Object.fromEntries(promotion.effects.map(({ effect, seen }) => [effect, seen]))).toEqual({
      role: 'technique-leader',
      permissions: 'see-team',
      enrollment: `leadership-level-1, due ${inThirtyDays}`,
      "manager's team": expect.stringMatching(/^under \d+, 2 open$/) as string,
      notification: 'assigned, pending',
    });
  });

  it('is explained from the HRIS event and the rule version on, each event under what caused it', () => {
    const { origin, rules, steps } = promotion.why;
    expect(origin).toEqual({ id: promotion.cloudEvent, actor: 'hris', via: 'hris' });
    expect(rules).toMatchObject([{ rule: 'technique-leaders', version: 1, publishedBy: 'admin' }]);
    const chain = steps.map(({ depth, type, via }) => `${depth} ${type} ${via}`);
    expect(chain.slice(0, 1)).toEqual(['0 RoleChanged hris']);
    expect(chain).toEqual(
      expect.arrayContaining([
        '0 PersonTransferred hris',
        '1 LearnerEnrolled workflow:when-role-changed-then-assign',
        '2 NotificationRequested workflow:when-assigned-then-notify',
        '1 ReportingLineChanged workflow:when-person-moved-then-place',
      ]),
    );
    const [role, enrolled] = ['RoleChanged', 'LearnerEnrolled'].map((type) =>
      steps.find((step) => step.type === type)!,
    );
    expect(enrolled!.causationId).toBe(role!.id);
    expect(enrolled!.data).toMatchObject({ reason: { kind: 'rule', rule: 'technique-leaders', cause: role!.id } });
  });

  it.each(['enrollment', 'notification', 'person'])('is explained by its %s alike', async (category) => {
    const { stream } = promotion.why.steps.findLast((step) => step.stream.startsWith(`acme.${category}-`))!;
    const id = stream.slice(`acme.${category}-`.length);
    const { code, stdout } = await stack.cli('audit', 'why', id, '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Explanation).origin.id).toBe(promotion.cloudEvent);
  });

  it('is explained by any of its events, for people as a table', async () => {
    const { id } = promotion.why.steps[0]!;
    const { stdout } = await stack.cli('audit', 'why', id);
    expect(stdout).toContain(promotion.cloudEvent);
    expect(stdout).toMatch(/^RoleChanged +person-/m);
    expect(stdout).toMatch(/^ {2}LearnerEnrolled +enrollment-/m);
  });

  it('that nobody knows is not explained', async () => {
    const { code, stderr } = await stack.cli('audit', 'why', '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11');
    expect(stderr).toMatch(
      /There is no enrollment, notification, attempt, person, course, rule, assessment, seal or event 0b0e8b6a/,
    );
    expect(code).toBe(2);
  });

  it('lets the person see a team of their own, and nobody else, with the token that they had', async () => {
    const promoted = await stack.as('learner', { sub: promotion.person });
    expect((await promoted.get(`/v1/teams/${promotion.person}`)).status).toBe(200);
    expect((await promoted.get(`/v1/people`, { manager: promotion.person })).status).toBe(200);
    const learner = await stack.as('learner', { sub: '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11' });
    expect((await learner.get(`/v1/people`, { manager: promotion.person })).status).toBe(403);
  });
});

describe('The README', () => {
  let shims: string;

  beforeAll(() => {
    shims = mkdtempSync(join(tmpdir(), 'attest-readme-'));
    // `npx attest` without npx, which takes a second each time; one test below uses the real one.
    const shim = `#!/bin/sh\nshift\nexec ${process.execPath} ${join(ROOT, 'dist/apps/attest/cli.js')} "$@"\n`;
    writeFileSync(join(shims, 'npx'), shim);
    chmodSync(join(shims, 'npx'), 0o755);
  });
  afterAll(() => rmSync(shims, { recursive: true }));

  it('has commands', () => expect(runnable.length).toBeGreaterThan(5));

  it.each(runnable)(
    'shows what works:\n%s',
    async (block) => {
      const env = { ...process.env, PATH: `${shims}${delimiter}${process.env.PATH}`, ATTEST_DATA: stack.data };
      const script = `set -euo pipefail\n${block.replaceAll(DEFAULT_API, stack.urls.api)}`;
      const { stdout } = await run('bash', ['-c', script], { env, cwd: ROOT, timeout: 380_000 });
      expect(stdout).not.toBe('');
      expect(stdout).not.toContain('urn:attest:problem:unauthenticated');
      expect(stdout).not.toContain('urn:attest:problem:internal');
    },
    400_000,
  );

  it.each(Object.entries(RUN_ELSEWHERE))('shows what is run elsewhere: %s', (command, check) => {
    expect(blocks.flatMap((block) => block.split('\n'))).toContain(command);
    check();
  });

  it('names the command as npm links it', async () => {
    const { stdout } = await run('npx', ['attest', '--help'], { cwd: ROOT });
    expect(stdout).toContain('Usage: attest');
  });

  it('lists every command in its table', async () => {
    const { paths } = (await (await fetch(`${stack.urls.api}/openapi.json`)).json()) as { paths: object };
    const commands = Object.keys(paths).flatMap((path) => /^\/v1\/commands\/(.+)$/.exec(path)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter((command) => !README.includes(`\`${command}\``))).toEqual([]);
  });

  it('lists every variable that the code reads', async () => {
    const { stdout } = await run('grep', ['-rhoE', 'ATTEST_[A-Z_]+', 'apps', 'packages', 'infra', '--include=*.ts'], {
      cwd: ROOT,
    });
    const read = [...new Set(stdout.trim().split('\n'))].filter(
      (name) => !name.startsWith('ATTEST_TEST_') && !name.endsWith('_'),
    );
    expect(read.filter((name) => !README.includes(name))).toEqual([]);
  });
});
