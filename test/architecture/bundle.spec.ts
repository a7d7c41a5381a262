/** What `.config/bundle-dependencies.mjs` makes of the packages that Attest depends on. Uses the compiled files, so build first. */
import { execFileSync, spawnSync } from 'node:child_process';
import { REPOSITORY } from './source-file';

const LOAD = `
  require('./dist/apps/attest/up.js');
  const [bundle, packages] = ['dist/node_modules/.bundle', /node_modules\\/((?:@[^/]+\\/)?[^/]+)/];
  const apart = Object.keys(require.cache).filter((file) => !file.includes(bundle) && !file.includes('/dist/node_modules/'));
  const compiled = require('node:fs').existsSync(bundle + '/compiled-' + require('node:v8').cachedDataVersionTag());
  process.stdout.write(JSON.stringify({ compiled, apart: apart.map((file) => packages.exec(file)?.[1]) }));
  process.exit();`;

/** The command line, which tells where it has read packages. */
const SHORT = `
  process.on('exit', () => {
    const folders = Object.keys(require.cache).flatMap((file) => /(?:dist.)?node_modules.[^/]+/.exec(file) ?? []);
    process._rawDebug([...new Set(folders)].sort().join(' '));
  });
  require('./dist/apps/attest/cli.js');`;

/** Loads every service: whether the bundle was compiled before, and the packages that were read from files of their own. */
function loadEverything(...flags: readonly string[]): { readonly compiled: boolean; readonly apart: string[] } {
  const output = execFileSync(process.execPath, [...flags, '-e', LOAD], { cwd: REPOSITORY, encoding: 'utf8' });
  return JSON.parse(output) as ReturnType<typeof loadEverything>;
}

describe('the services are started from one file that holds their packages', () => {
  // Those of a service by itself, and of `npm start`.
  it.each([[[]], [['--max-semi-space-size=32', '--no-memory-reducer']]])(
    'compiled before, with the flags %j',
    (flags) => {
      const { compiled, apart } = loadEverything(...flags);
      expect(compiled).toBe(true);
      // A package that is read twice is there twice, and what the one knows the other does not.
      const inBundle =
        /^(@nestjs|@eventstore|@grpc|@clickhouse|@nats-io|@fastify|fastify$|mongodb$|class-|reflect-metadata|rxjs|prom-client)/;
      expect(apart.filter((name) => name && inBundle.test(name))).toEqual([]);
      expect(apart).toContain('pino'); // which is left out
    },
  );

  it.each([
    [['--help'], ['.short', 'cli-progress', 'commander', 'jose', 'safe-stable-stringify']],
    [
      ['token', '--help'],
      ['.short', 'cli-progress', 'commander', 'jose'],
    ],
  ])('which a short command does without, as %j: it reads a small one, and of that what it needs', (args, read) => {
    const { status, stderr } = spawnSync(process.execPath, ['-e', SHORT, 'attest', ...args], { cwd: REPOSITORY });
    const folders = read.map((name) => `dist/node_modules/${name}`).join(' ');
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: `${folders}\n` });
  });
});
