const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

/** What bundle-loader.cjs becomes, see bundle-dependencies.mjs. */
const BUNDLE = /\/dist\/node_modules\/\.\w+\/index\.js$/;
/** By file, of all that this worker has run. */
const compiled = new Map();

/**
 * Jest's runtime, but for this: each file of tests has modules of its own, in a global object of its own, and Jest compiles all of them anew for
 * it. Here a worker compiles each once, and takes most packages from the bundles, which are compiled already.
 */
module.exports = class extends Runtime {
  constructor(...given) {
    super(...given);
    const { executor, _environment: environment } = this;
    executor.compile = (code, filename) => {
      const context = environment.getVmContext();
      // Null after the tests have ended, and then nothing is to run.
      if (context === null) return null;
      if (BUNDLE.test(filename)) {
        const { script } = require(join(dirname(filename), 'script.js'));
        const run = script.runInContext(context);
        return (module, exports, require) => run(exports, require, module, filename, dirname(filename));
      }
      const found = compiled.get(filename);
      const script = found?.code === code ? found.script : compile(code, filename, executor.injectedModuleParameters);
      compiled.set(filename, { code, script });
      return script.runInContext(context);
    };
  }
};

function compile(code, filename, parameters) {
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new Script(`(function (${parameters.join(', ')}) {${code}\n})`, { filename, importModuleDynamically });
}
