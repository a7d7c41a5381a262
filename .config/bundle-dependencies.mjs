/**
 * After `tsc`: puts the packages that the services are made of into one file, `dist/node_modules/.bundle/bundle.js`, and a stub for each that
 * the compiled files require beside it. Node looks into `dist/node_modules` before it looks into `node_modules`, so that a process
 * reads one file, compiled before, instead of two thousand. Those were two thirds of what the start of a service cost. The few that every
 * command needs stand in a file of their own, `dist/node_modules/.short/bundle.js`: they were half of what a short command cost.
 *
 * Made again when one of these packages or Node changes. Without `dist/node_modules` everything runs as well, only later.
 */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist/node_modules';
const MADE_FROM = join(OUT, 'made-from');
/** What every command needs. */
const SHORT = ['cli-progress', 'commander', 'jose', 'safe-stable-stringify'];
const LEFT_OUT = [
  // native code
  ...['lmdb', 'chdb'],
  // what an engine or some command needs besides, which would read a whole file for it
  ...['bson', 'csv-parse', 'fflate'],
  // find files of their own by where they stand
  ...['pino', 'swagger-ui-dist'],
];
/** esbuild has every function named whenever it is made. Nest goes by the names of classes; what is made again and again has none to keep. */
const NAMING = '(target, value) => __defProp(target, "name", { value, configurable: true });';
const NAMING_LESS = NAMING.replace('=> ', '=> target.name === value || target.prototype === undefined ? target : ');
/** V8 takes only what it compiled with the same flags: those of a service by itself, and of `npm start`. */
const FLAGS = [[], ['--max-semi-space-size=32', '--no-memory-reducer']];

/**
 * Outside stays what is left out, unless a package has another version of it for itself, and what is not installed: packages that
 * load it only where it is know what to do without.
 */
const outside = (leftOut) => ({
  name: 'outside',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^.]/ }, async ({ path: name, pluginData, ...from }) => {
      if (pluginData === leftOut) return undefined;
      const { errors, path } = await resolve(name, { ...from, pluginData: leftOut });
      const isOutside =
        errors.length > 0 || leftOut.some((left) => path.startsWith(join(process.cwd(), 'node_modules', left, sep)));
      return isOutside ? { path: name, external: true } : undefined;
    });
  },
});

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const names = required();
const sources = [
  'package-lock.json',
  ...['dependencies.mjs', 'script.cjs', 'loader.cjs'].map((name) => `.config/bundle-${name}`),
];
const hash = createHash('sha256').update(JSON.stringify([process.version, names]));
for (const source of sources) hash.update(readFileSync(source));
const madeFrom = hash.digest('hex');

if (!existsSync(MADE_FROM) || readFileSync(MADE_FROM, 'utf8') !== madeFrom) {
  rmSync(OUT, { recursive: true, force: true });
  const isShort = (name) => isOf(name, SHORT);
  await bundle('.short', names.filter(isShort), LEFT_OUT);
  await bundle(
    '.bundle',
    names.filter((name) => !isShort(name)),
    [...LEFT_OUT, ...SHORT],
  );
  writeFileSync(MADE_FROM, madeFrom);
}

function isOf(name, packages) {
  return packages.some((each) => name === each || name.startsWith(`${each}/`));
}

/** What the compiled files require of the packages that are not left out: packages, or single files of them. */
function required() {
  const found = new Set();
  for (const file of readdirSync('dist', { recursive: true })) {
    if (!file.endsWith('.js') || file.startsWith('node_modules')) continue;
    const code = readFileSync(join('dist', file), 'utf8');
    for (const [, how, name] of code.matchAll(/\b(require|import)\(['"]((?!\.|node:)[^'"]+)['"]\)/g)) {
      if (!isOf(name, Object.keys(dependencies)) || isOf(name, LEFT_OUT)) continue;
      // What a stub exports is known only after it has run.
      if (how === 'import')
        throw new Error(`${file} imports ${name} when it runs, so it must be among what is left out.`);
      found.add(name);
    }
  }
  return [...found].sort();
}

/** One function of what a CommonJS module is given, which exports each package when it is asked for, compiled, and the stubs for it. */
async function bundle(folder, names, leftOut) {
  const exported = names.map((name) => `get ${JSON.stringify(name)}() { return require(${JSON.stringify(name)}); }`);
  await build({
    stdin: { contents: `module.exports = {\n${exported.join(',\n')}\n};`, resolveDir: '.' },
    outfile: join(OUT, folder, 'bundle.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // As Node resolves; esbuild would add "module".
    conditions: ['node'],
    mainFields: ['main'],
    // Nest goes by the names of classes.
    keepNames: true,
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: {
      js: '(function (exports, require, module, __filename, __dirname) {\nconst importMetaUrl = require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: '})' },
    plugins: [outside(leftOut)],
    logLevel: 'warning',
  });
  nameLess(join(OUT, folder, 'bundle.js'));
  for (const name of names) writeStub(name, folder);
  copyFileSync('.config/bundle-script.cjs', join(OUT, folder, 'script.js'));
  const loader = join(OUT, folder, 'index.js');
  copyFileSync('.config/bundle-loader.cjs', loader);
  for (const flags of FLAGS) execFileSync(process.execPath, [...flags, loader], { stdio: 'inherit' });
}

function nameLess(file) {
  const code = readFileSync(file, 'latin1');
  if (!code.includes(NAMING)) throw new Error(`${file} names its functions in another way than is known here.`);
  writeFileSync(file, code.replace(NAMING, NAMING_LESS), 'latin1');
}

function writeStub(name, folder) {
  // A file of a package is required with or without its ending.
  const isFile = name.split('/').length > (name.startsWith('@') ? 2 : 1);
  const stub = join(OUT, isFile ? `${name}.js` : join(name, 'index.js'));
  mkdirSync(dirname(stub), { recursive: true });
  const up = '../'.repeat(stub.split('/').length - OUT.split('/').length - 1);
  writeFileSync(stub, `module.exports = require('${up}${folder}')[${JSON.stringify(name)}];\n`);
}
