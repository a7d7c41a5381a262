/**
 * After `tsc`: puts Attest's own files, those that one kind of process reads when it starts, into one script for it, `dist/.own/*.js`, has
 * that compiled, and lets what starts a process begin with `dist/.own/index.js`, which takes files from there. To find, read and compile
 * each of some three hundred was a quarter of what the start of a service cost. Every file stays where it is and as it is, and one
 * that is changed afterwards is read by itself.
 *
 * A script is made again when one of its files, its packages or Node changes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OUT = 'dist/.own';
const LOADER = join(import.meta.dirname, 'own-loader.cjs');
/** V8 takes only what it compiled with the same flags: those of a service by itself, and of `npm start`. */
const FLAGS = [[], ['--max-semi-space-size=32', '--no-memory-reducer']];

const SERVICES = readdirSync('dist/apps')
  .map((app) => `apps/${app}/main.js`)
  .filter((file) => existsSync(join('dist', file)));
const COMMANDS = readdirSync('dist/apps/attest/commands')
  .filter((file) => /^[^.]*\.js$/.test(file))
  .map((file) => `apps/attest/commands/${file}`);
const engine = (folder) => ({
  begins: [`infra/embedded/${folder}/index.js`],
  openedBy: [`infra/embedded/${folder}/index.js`],
});

/** What begins each script, which holds that and all that it requires, and whose loading opens it. */
const SCRIPTS = {
  commands: { begins: COMMANDS, openedBy: ['apps/attest/cli.js'] },
  services: { begins: ['apps/attest/up.js'], openedBy: ['apps/attest/up.js', ...SERVICES] },
  eventstore: engine('eventstore'),
  mongodb: engine('mongo'),
  clickhouse: engine('clickhouse'),
};

mkdirSync(OUT, { recursive: true });
copyFileSync(LOADER, join(OUT, 'index.js'));
const made = Object.entries(SCRIPTS).map(([name, { begins, openedBy }]) => ({
  name,
  begins,
  openedBy,
  ...scriptOf(begins),
}));
writeFileSync(join(OUT, 'scripts.json'), JSON.stringify(listed(made)));
await Promise.all(made.map(compile));
for (const file of ['apps/attest/cli.js', 'infra/embedded/main.js', ...SERVICES]) beginWithLoader(join('dist', file));

/** An object of one function for each file, of what a CommonJS module is given, and where each file's text is in it: its first line, and what it is between. */
function scriptOf(begins) {
  const files = [];
  let [code, lines] = ['({', 1];
  const add = (text) => {
    code += text;
    lines += text.split('\n').length - 1;
  };
  for (const file of reached(begins)) {
    add(`\n${JSON.stringify(file)}: (function (exports, require, module, __filename, __dirname) {\n`);
    const [text, first, start] = [textOf(file), lines, code.length];
    add(text);
    files.push([file, first, start, code.length]);
    add('\n}),');
  }
  return { files, code: `${code}\n})` };
}

/** These files and all compiled ones that they require, but for those that the loader cannot take from a script. */
function reached(begins) {
  const found = new Set(begins);
  for (const file of found)
    for (const [, id] of textOf(file).matchAll(/\brequire\("(\.[^"]*)"\)/g)) {
      const path = join(file, '..', id);
      const required = [`${path}.js`, `${path}/index.js`].find((each) => existsSync(join('dist', each)));
      if (required) found.add(required);
    }
  // What is imported when it runs is found from where the importing code stands, `require` knows no more than to require, and what is
  // more than ASCII has other places in a script.
  return [...found].filter((file) => !/\bimport\(|\brequire\.|[^\0-\x7f]/.test(textOf(file)));
}

function textOf(file) {
  return readFileSync(join('dist', file), 'utf8');
}

function listed(made) {
  const scripts = made.map(({ name, begins, files }) => [name, { begins, files }]);
  const openedBy = made.flatMap(({ name, openedBy }) => openedBy.map((file) => [file, name]));
  return { scripts: Object.fromEntries(scripts), openedBy: Object.fromEntries(openedBy) };
}

async function compile({ name, code }) {
  const sources = [LOADER, 'dist/node_modules/made-from'].map((file) => readFileSync(file, 'utf8'));
  const madeFrom = createHash('sha256')
    .update(JSON.stringify([process.version, FLAGS, sources, code]))
    .digest('hex');
  const note = join(OUT, `${name}.made-from`);
  if (existsSync(note) && readFileSync(note, 'utf8') === madeFrom) return;
  for (const file of readdirSync(OUT))
    if (file.startsWith(`${name}.`) || file.startsWith(`${name}-`)) rmSync(join(OUT, file));
  writeFileSync(join(OUT, `${name}.js`), code);
  try {
    for (const flags of FLAGS) await promisify(execFile)(process.execPath, [...flags, join(OUT, 'index.js'), name]);
  } catch (error) {
    // Where native code of a package is not to be had, everything else still is.
    console.warn(`Files of ${name} will be read one by one: they do not load here. ${error.stderr ?? error}`);
    return;
  }
  writeFileSync(note, madeFrom);
}

function beginWithLoader(file) {
  const text = readFileSync(file, 'utf8');
  const [, first] = /^(?:#!.*\n)?"use strict";(.*)\n/.exec(text) ?? [];
  if (first === undefined) throw new Error(`${file} begins in another way than is known here.`);
  if (first === '') writeFileSync(file, text.replace('"use strict";', '"use strict"; require("../../.own");'));
}
