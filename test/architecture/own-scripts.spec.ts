/** What `.config/bundle-own.mjs` makes of Attest's own files. Uses the compiled files, so build first. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './source-file';

const ENGINES = ['eventstore', 'mongo', 'clickhouse'].map((engine) => `infra/embedded/${engine}/index.js`);
const EVERYTHING = ['apps/attest/up.js', ...ENGINES];
const [, AN_ENGINE] = ENGINES;
const THROWING = 'infra/embedded/engine.js';
const THROWN = 'throw new EngineStartError(`The embedded engines listen on';

/** Notes in `own` which files of Attest Node itself reads and compiles. */
const NOTE = `
  const { prototype } = require('node:module');
  const { relative } = require('node:path');
  const [compile, own] = [prototype._compile, []];
  prototype._compile = function (code, path) {
    const file = relative('dist', path);
    if (!/(^|\\/)(node_modules|\\.own)\\//.test(file)) own.push(file);
    return compile.call(this, code, path);
  };`;

const LOAD = `${NOTE}
  require('./dist/.own');
  for (const file of process.argv.slice(1)) require('./dist/' + file);
  let stack;
  try {
    require('./dist/${THROWING}').refuseBeyondLoopback('1.2.3.4');
  } catch (error) {
    stack = error.stack;
  }
  process.stdout.write(JSON.stringify({ own, stack }));
  process.exit();`;

const COMMAND = `${NOTE}
  process.on('exit', () => process._rawDebug(own.join(' ')));
  require('./dist/apps/attest/cli.js');`;

interface Loaded {
  /** Which of Attest's files Node itself has read and compiled. */
  readonly own: readonly string[];
  /** Of an error that one of its files threw. */
  readonly stack: string;
}

/** Loads these files as a process does that is started with these flags. */
function load(folder: string, files: readonly string[], flags: readonly string[] = []): Loaded {
  const output = execFileSync(process.execPath, [...flags, '-e', LOAD, ...files], { cwd: folder, encoding: 'utf8' });
  return JSON.parse(output) as Loaded;
}

/** Line of a compiled file that holds this. */
function placeOf(folder: string, text: string): string {
  const file = join(folder, 'dist', THROWING);
  const lines = readFileSync(file, 'utf8').split('\n');
  return `${file}:${lines.findIndex((line) => line.includes(text)) + 1}:`;
}

describe("Attest's own files are taken from a few scripts that hold them", () => {
  // Those of a service by itself, and of `npm start`.
  it.each([[[]], [['--max-semi-space-size=32', '--no-memory-reducer']]])(
    'with the flags %j, and errors say where they are thrown',
    (flags) => {
      const { own, stack } = load(REPOSITORY, EVERYTHING, flags);
      expect(own).toEqual([]);
      expect(stack).toContain(`refuseBeyondLoopback (${placeOf(REPOSITORY, THROWN)}`);
    },
  );

  it('by a short command too', () => {
    const { status, stderr } = spawnSync(process.execPath, ['-e', COMMAND, 'attest', 'token', '--help'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'apps/attest/cli.js\n' });
  });

  it('but for one that was changed since, which is read by itself', () => {
    const copy = mkdtempSync(join(tmpdir(), 'attest-own-'));
    try {
      for (const folder of ['.own', 'apps', 'infra', 'packages', 'projections'])
        cpSync(join(REPOSITORY, 'dist', folder), join(copy, 'dist', folder), {
          recursive: true,
          filter: (file) => !file.endsWith('.map'),
        });
      for (const folder of ['node_modules', 'dist/node_modules'])
        symlinkSync(join(REPOSITORY, folder), join(copy, folder));
      const file = join(copy, 'dist', THROWING);
      writeFileSync(file, readFileSync(file, 'utf8').replace(THROWN, `// A line more.\n${THROWN} my`));
      const { own, stack } = load(copy, [AN_ENGINE!]);
      expect(own).toEqual([THROWING]);
      expect(stack).toMatch(/^EngineStartError: The embedded engines listen on my 127/);
      expect(stack).toContain(`refuseBeyondLoopback (${placeOf(copy, THROWN)}`);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it.each(['--stack-size=900', '--enable-source-maps'])(
    'but where V8 has another flag, or who looks into files asks for each: %s',
    (flag) => {
      const { own, stack } = load(REPOSITORY, [AN_ENGINE!], [flag]);
      expect(own).toEqual(expect.arrayContaining([AN_ENGINE, THROWING]));
      expect(stack).toMatch(/^EngineStartError: The embedded engines listen on 127|\/engine\.ts:/);
    },
  );
});
