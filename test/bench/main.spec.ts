import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const bench = (...given: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(__dirname, '../../dist/test/bench/main.js'), ...given], { encoding: 'utf8' });

it('explains itself', () => {
  const { status, stdout, stderr } = bench('--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: npm run bench -- engines \[--json\]/);
  expect(stdout).toContain('npm run bench -- load [PART...] [--quick] [--json]');
});

it.each([
  ['nothing to measure', [], /^Name what to measure: engines, load or replay\./],
  ['too much to measure', ['engines', 'engines'], /^engines has no parts\./],
  ['too much to replay', ['replay', 'all'], /^replay has no parts\./],
  ['an unknown bench', ['races'], /^There is no bench 'races'/],
  ['an unknown part', ['load', 'write', 'races'], /^load has no part 'races'/],
  ['an option of another bench', ['engines', '--quick'], /^--quick is for load and replay\./],
  ['an unknown option', ['engines', '--fast'], /--fast/],
])('refuses %s and shows how it is used', (_what, given, message) => {
  const { status, stdout, stderr } = bench(...given);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).toContain('Usage: npm run bench');
});
