// Stands as `script.js` beside each bundle.js, see bundle-dependencies.mjs: exports the script in it, compiled before.
const { existsSync, readFileSync } = require('node:fs');
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
module.exports = { script, cache };
