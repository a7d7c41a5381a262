// Stands as `dist/node_modules/.bundle/index.js` and as that of `.short`, see bundle-dependencies.mjs: exports the packages in bundle.js beside it, compiled before.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { cachedDataVersionTag } = require('node:v8');
const { constants, Script } = require('node:vm');

const filename = join(__dirname, 'bundle.js');
// V8 takes only what itself has compiled, of the same version and with the same flags; it compiles anew otherwise.
const cache = join(__dirname, `compiled-${cachedDataVersionTag()}`);

// esbuild writes ASCII only, and this is read faster.
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  cachedData: existsSync(cache) ? readFileSync(cache) : undefined,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
script.runInThisContext()(exports, require, module, filename, __dirname);

if (require.main === module) {
  // Run by the build: what each package does when it is loaded is compiled now, and kept.
  for (const name of Object.keys(module.exports)) void module.exports[name];
  writeFileSync(cache, script.createCachedData());
}
