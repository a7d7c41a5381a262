const asyncHooks = require('node:async_hooks');
const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

// A worker that has nothing left to do ends at once. By itself, Node takes longer than Jest waits for it, probably to take apart what was loaded.
if (process.send) process.once('beforeExit', () => process.exit());

/** What bundle-loader.cjs becomes, see bundle-dependencies.mjs. */
const BUNDLE = /\/dist\/node_modules\/\.\w+\/index\.js$/;
/** By file, of all that this worker has run. */
const compiled = new Map();

/**
 * Of Jest itself: it keeps in it which test is running, so as to tell whose an error is that nobody waited for. In Node 20 each promise that is made
 * meanwhile pays for that, a tenth of what tests of engines take. Without it such an error is its file's, which fails as well.
 */
class AsyncLocalStorage extends asyncHooks.AsyncLocalStorage {
  run(_, callback, ...given) {
    return callback(...given);
  }
}

/**
 * Jest's runtime, but for this, and for the above: each file of tests has modules of its own, in a global object of its own, and Jest compiles all of them anew for
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

  requireInternalModule(from, name) {
    return name === 'node:async_hooks' ? { ...asyncHooks, AsyncLocalStorage } : super.requireInternalModule(from, name);
  }
};

function compile(code, filename, parameters) {
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new Script(`(function (${parameters.join(', ')}) {${code}\n})`, { filename, importModuleDynamically });
}
