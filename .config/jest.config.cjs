const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  rootDir: '..',
  roots: ['<rootDir>/apps', '<rootDir>/packages', '<rootDir>/projections', '<rootDir>/infra', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  // What takes long is asked for: the whole of OULAD, and what kills processes again and again, or means them harm.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.ATTEST_TEST_FULL_IMPORT ? [] : ['/oulad-full\\.spec']),
    ...(process.env.ATTEST_TEST_FAULT_ROUNDS ? [] : ['<rootDir>/test/faults/']),
  ],
  testEnvironment: '<rootDir>/.config/plain-environment.cjs',
  // A test that hangs must end some day; a machine that is merely slow or busy must not fail one.
  testTimeout: 400_000,
  // Much of the suite waits for disks and processes: with one worker for each of two cores, a quarter of them is idle.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  runtime: '<rootDir>/.config/quick-runtime.cjs',
  testSequencer: '<rootDir>/.config/slowest-first.cjs',
  globalSetup: '<rootDir>/test/e2e/global-setup.ts',
  globalTeardown: '<rootDir>/test/e2e/global-teardown.ts',
  // As the compiled files find them: most packages stand in one file, compiled before.
  moduleDirectories: ['dist/node_modules', 'node_modules'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
};
