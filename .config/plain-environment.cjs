const { constants, createContext } = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

/** Of a stack: each `expect` takes one, of a hundred frames in Jest. */
const FRAMES = 20;

/** These are the process's own, so that what Node and native modules hand out is an instance of them. */
const OF_THE_PROCESS = ['Buffer', 'ArrayBuffer', 'Uint8Array'];

/**
 * Jest's environment for Node, whose global object is one of V8's own. Jest's is a proxy behind an interceptor, which every name that is looked
 * up globally (`Buffer`, `Promise`, `process`) goes through: with it the specs of packages take a twelfth more.
 */
module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const plain = createContext(constants.DONT_CONTEXTIFY);
    for (const name of Reflect.ownKeys(this.global)) {
      if (Object.hasOwn(plain, name) && !OF_THE_PROCESS.includes(name)) continue;
      const given = Object.getOwnPropertyDescriptor(this.global, name);
      Object.defineProperty(plain, name, 'get' in given ? lazily(name, given, plain) : given);
    }
    plain.global = plain;
    plain.Error.stackTraceLimit = FRAMES;
    for (const name of ['dispose', 'asyncDispose']) plain.Symbol[name] ??= this.global.Symbol[name];
    this.global = this.context = plain;
    this.moduleMocker = new this.moduleMocker.constructor(plain);
    this.fakeTimers = null; // the legacy ones
    this.fakeTimersModern.dispose();
    this.fakeTimersModern = new this.fakeTimersModern.constructor({ config: config.projectConfig, global: plain });
  }
};

/** What Node itself makes only when it is asked for, such as `fetch`. */
function lazily(name, { enumerable }, global) {
  const become = (value) => {
    Object.defineProperty(global, name, { configurable: true, enumerable, writable: true, value });
    return value;
  };
  return { configurable: true, enumerable, get: () => become(globalThis[name]), set: become };
}
