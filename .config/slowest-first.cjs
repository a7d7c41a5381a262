const { readFileSync } = require('node:fs');
const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest, longest first, so that none of it runs alone at the end while the other cores have nothing left to do. */
const LONG = [
  'faults/under-load',
  'e2e/oulad-full',
  'e2e/projections',
  'e2e/readme',
  'e2e/audit-reconcile',
  'faults/at-least-once',
  'adapters/reports',
  'e2e/cli',
  'e2e/erasure',
  'e2e/oulad-reproduce',
  'faults/engines-die',
  'e2e/up',
  'adapters/warehouse-rebuild',
  'embedded/eventstore/data-folder',
  'adapters/warehouse',
  'e2e/imports',
  'e2e/employees-feed',
  'e2e/audit-reproduce',
  'e2e/audit-export',
  'e2e/audit',
  'e2e/bulk-commands',
  'e2e/unusual-values',
];

/** Then come the folders in which a test takes seconds, and after them those in which it takes none. */
const FOLDERS = [
  'test/faults',
  'test/e2e',
  'infra',
  'test/contract',
  'test/architecture',
  'apps',
  'packages',
  'projections',
];

/**
 * Last come the files that share a stack, those named above first. The first of them starts it, and it then runs until the end and takes
 * its part of the processors, whether a file needs it or not.
 */
const sharesStack = (path) => readFileSync(path, 'utf8').includes('useStack(');

function rank({ path, context }) {
  const file = path.slice(context.config.rootDir.length + 1);
  const long = LONG.findIndex((name) => file.endsWith(`${name}.spec.ts`));
  const place = long >= 0 ? long : LONG.length + FOLDERS.findIndex((folder) => file.startsWith(`${folder}/`));
  return sharesStack(path) ? LONG.length + FOLDERS.length + place : place;
}

module.exports = class extends Sequencer {
  /** The same order on a clean clone as where Jest remembers how long each took. */
  sort(tests) {
    const ranks = new Map(tests.map((test) => [test, rank(test)]));
    return [...tests].sort((a, b) => ranks.get(a) - ranks.get(b) || (a.path < b.path ? -1 : 1));
  }
};
