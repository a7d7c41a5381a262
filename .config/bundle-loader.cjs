// Stands as `index.js` beside each bundle.js, see bundle-dependencies.mjs: exports the packages in it.
const { writeFileSync } = require('node:fs');
const { script, cache } = require('./script.js');

script.runInThisContext()(exports, require, module, __filename, __dirname);

if (require.main === module) {
  // Run by the build: what each package does when it is loaded is compiled now, and kept.
  for (const name of Object.keys(module.exports)) void module.exports[name];
  writeFileSync(cache, script.createCachedData());
}
