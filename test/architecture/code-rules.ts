import type { CodeRule } from './code-rule';

/** What does not stand in the code of some files. */
export const codeRules: readonly CodeRule[] = [
  {
    says: 'deciders, workflows and read models know no clock, randomness, process or console',
    files: /\.(decider|workflow)\.ts$|^projections\/mongo\//,
    forbids:
      /^(Date\.now|Date\(\)|new Date(\(\))?|Math\.random|process|console|crypto|performance|(crypto\.)?randomUUID)$/,
    canaries: [
      'Date.now()',
      'new Date()',
      'Date()',
      'Math.random()',
      'process.env',
      `console.log('decided')`,
      'randomUUID()',
      'crypto.randomUUID()',
      'performance.now()',
    ],
  },
  {
    says: 'apps dispatch commands with Nest and nothing more: events live in the log',
    files: /^apps\//,
    forbids: /^(EventBus|EventPublisher|Saga|AggregateRoot)$/,
    canaries: ['new EventBus()', 'new EventPublisher()', 'Saga()', 'new AggregateRoot()'],
  },
];
