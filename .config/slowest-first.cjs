const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest, longest first, so that none of it runs alone at the end while the other cores have nothing left to do. */
const LONG = [
  'e2e/faults',
  'e2e/oulad-full',
  'e2e/projections',
  'e2e/readme',
  'embedded/eventstore/data-folder',
  'e2e/cli',
  'e2e/up',
  'e2e/audit-reconcile',
  'e2e/employees-feed',
  'e2e/imports',
  'e2e/erasure',
  'e2e/oulad-reproduce',
  'e2e/unusual-values',
  'e2e/audit-reproduce',
  'e2e/audit',
  'e2e/bulk-commands',
  'embedded/clickhouse/crash',
  'embedded/eventstore/crash',
  'embedded/mongo/crash',
  'adapters/at-least-once',
];

/** Then come the folders in which a test takes seconds, and last those in which it takes none. */
const FOLDERS = ['test/e2e', 'infra', 'test/contract', 'test/architecture', 'apps', 'packages', 'projections'];

function rank({ path, context }) {
  const file = path.slice(context.config.rootDir.length + 1);
  const long = LONG.findIndex((name) => file.endsWith(`${name}.spec.ts`));
  if (long >= 0) return long;
  return LONG.length + FOLDERS.findIndex((folder) => file.startsWith(`${folder}/`));
}

module.exports = class extends Sequencer {
  /** The same order on a clean clone as where Jest remembers how long each took. */
  sort(tests) {
    return [...tests].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  }
};
