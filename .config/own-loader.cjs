// Stands as `dist/.own/index.js`, see bundle-own.mjs. What starts a process requires it before anything else: from then on Attest's own
// files are taken from scripts that hold many of them, compiled before, as long as each file is still what the script was made of.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { basename, dirname, join, relative, sep } = require('node:path');
const { cachedDataVersionTag } = require('node:v8');
const { constants, Script } = require('node:vm');

const DIST = dirname(__dirname);
/** Who looks into files, to stop at lines of theirs or to count what was run, is given each by itself. */
const IS_LOOKED_INTO =
  /--inspect|--enable-source-maps/.test([process.env.NODE_OPTIONS, ...process.execArgv].join(' ')) ||
  process.env.NODE_V8_COVERAGE;

const { scripts, openedBy } = JSON.parse(readFileSync(join(__dirname, 'scripts.json'), 'utf8'));
/** By file: what runs it, and what must stand in it for that. */
const parts = new Map();
const loadPlainly = require.extensions['.js'];

if (require.main === module) make(process.argv[2]);
else if (!IS_LOOKED_INTO) {
  openFor(module.parent.filename);
  require.extensions['.js'] = (module, filename) => {
    openFor(filename);
    if (isUnchanged(filename)) run(module, parts.get(filename));
    else loadPlainly(module, filename);
  };
  Error.prepareStackTrace = (error, calls) =>
    [headOf(error), ...calls.map((call) => `    at ${placed(call)}`)].join('\n');
}

function openFor(filename) {
  const name = openedBy[relative(DIST, filename)];
  // V8 takes only what itself has compiled, of the same version and with the same flags.
  const compiled = name && compiledOf(name);
  if (compiled && existsSync(compiled)) open(name, readFileSync(compiled));
}

function compiledOf(name) {
  return join(__dirname, `${name}-${cachedDataVersionTag()}`);
}

function open(name, cachedData) {
  const filename = join(__dirname, `${name}.js`);
  const code = readFileSync(filename);
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  // It holds ASCII only, and is read faster like this.
  const script = new Script(code.latin1Slice(), { filename, cachedData, importModuleDynamically });
  const functions = script.runInThisContext();
  for (const [file, , start, end] of script.cachedDataRejected ? [] : scripts[name].files)
    parts.set(join(DIST, file), { run: functions[file], made: code.subarray(start, end) });
  return script;
}

function isUnchanged(filename) {
  return parts.get(filename)?.made.equals(readFileSync(filename)) ?? false;
}

function run(module, part) {
  const folder = dirname(module.filename);
  const requireHere = (id) => {
    const file = id.startsWith('.') ? resolve(join(folder, id)) : undefined;
    return file ? load(file, module) : module.require(id);
  };
  part.run.call(module.exports, module.exports, requireHere, module, module.filename, folder);
}

function resolve(path) {
  return [path, `${path}.js`, path + sep + 'index.js'].find((file) => parts.has(file));
}

/** As Node does it, but for looking where the file is, and whose. */
function load(filename, parent) {
  const known = require.cache[filename];
  if (known) return known.exports;
  if (!isUnchanged(filename)) return parent.require(filename);
  const module = new Module(filename, parent);
  module.filename = filename;
  module.paths = Module._nodeModulePaths(dirname(filename));
  require.cache[filename] = module;
  try {
    run(module, parts.get(filename));
  } catch (error) {
    delete require.cache[filename];
    throw error;
  }
  module.loaded = true;
  return module.exports;
}

/** As Node begins a stack trace. */
function headOf(error) {
  const isOfNode = error instanceof Error && /^ERR_/.test(error.code);
  return isOfNode ? `${error.name} [${error.code}]: ${error.message}` : Error.prototype.toString.call(error);
}

/** The call as Node writes it, but placed in the file itself, so that a stack trace leads there. */
function placed(call) {
  const [script, line] = [call.getFileName(), call.getLineNumber()];
  const name = script?.startsWith(__dirname) ? basename(script, '.js') : '';
  const [file, first] = scripts[name]?.files.findLast((each) => each[1] <= line) ?? [];
  const text = String(call);
  return file ? text.replace(`${script}:${line}:`, `${join(DIST, file)}:${line - first + 1}:`) : text;
}

/** Run by the build: what its files do when they are loaded is compiled now, and kept. */
function make(name) {
  const script = open(name);
  for (const file of scripts[name].begins) load(join(DIST, file), module);
  writeFileSync(compiledOf(name), script.createCachedData());
  // Some of them may have begun what does not end.
  process.exit();
}
