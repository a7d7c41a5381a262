import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { RunningStack } from './running-stack';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const DEFAULT_API = 'http://127.0.0.1:7400';

/** The commands that a test cannot run within itself, and where they are run instead. */
const RUN_ELSEWHERE: Readonly<Record<string, () => void>> = {
  'npm ci && npm start': () => {
    expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm ci\b/m);
    expect(scripts().start).toBe('node --max-semi-space-size=32 dist/apps/attest/cli.js up'); // which is what every stack of these tests runs
  },
  'npm test': () => expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm test$/m),
  'npm run lint': () => expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^npm run lint$/m),
  // Takes longer than all other commands together.
  'npx attest tour': () =>
    expect(readFileSync(join(__dirname, 'cli.spec.ts'), 'utf8')).toMatch(
      /^ +const .* = await run\('tour', '--json'\);$/m,
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

describe('The README', () => {
  let stack: RunningStack;
  let shims: string;

  beforeAll(async () => {
    stack = await RunningStack.start({ sample: true, environment: { ATTEST_SEAL_SECONDS: '1' } });
    shims = mkdtempSync(join(tmpdir(), 'attest-readme-'));
    // `npx attest` without npx, which takes a second each time; one test below uses the real one.
    const shim = `#!/bin/sh\nshift\nexec ${process.execPath} ${join(ROOT, 'dist/apps/attest/cli.js')} "$@"\n`;
    writeFileSync(join(shims, 'npx'), shim);
    chmodSync(join(shims, 'npx'), 0o755);
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(stack.data, { recursive: true });
    rmSync(shims, { recursive: true });
  });

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
