import type { ImportRule } from './import-rule';

const ATTEST = /^(apps|infra|packages|projections|test)(\/|$)/;

const contextRules = ['people', 'enrollment', 'assessment', 'audit', 'privacy'].map((context): ImportRule => {
  const other = context === 'people' ? 'enrollment' : 'people';
  return {
    says: `packages/${context} imports only the kernel, packages/commands and itself`,
    files: new RegExp(`^packages/${context}/`),
    imports: ATTEST,
    allows: new RegExp(`^packages/(${context}|eventsourcing|commands)(/|$)`),
    canary: { path: `packages/${context}/a.decider.ts`, text: `import type { A } from '../${other}';` },
  };
});

/** Who may import whom: the README's "How the pieces stand", as data. */
export const importRules: readonly ImportRule[] = [
  ...contextRules,
  {
    says: 'the kernel imports nothing else of Attest',
    files: /^packages\/eventsourcing\//,
    imports: ATTEST,
    allows: /^packages\/eventsourcing(\/|$)/,
    canary: { path: 'packages/eventsourcing/a.ts', text: `import { A } from '../commands';` },
  },
  {
    says: 'packages and projections know no framework, adapter or application',
    files: /^(packages|projections)\//,
    imports: /^(@nestjs\/|infra(\/|$)|apps(\/|$))/,
    canary: { path: 'packages/auth/a.ts', text: `export * from '../../infra/log';` },
  },
  {
    says: 'deciders, workflows and events need no package',
    files: /\.(decider|workflow|events)\.ts$/,
    imports: /^(?!packages\/)/,
    allows: /^node:util$/,
    canary: { path: 'packages/people/a.decider.ts', text: `import { readFileSync } from 'node:fs';` },
  },
  {
    says: 'only command inputs and doors validate',
    files: /^(packages|projections|infra)\//,
    except: /\.commands\.ts$|^packages\/commands\//,
    imports: /^class-(validator|transformer)/,
    canary: { path: 'packages/people/a.decider.ts', text: `import { IsString } from 'class-validator';` },
  },
  {
    says: 'projections know a context by its events only',
    files: /^projections\//,
    imports: /^packages\/(people|enrollment|assessment|audit|privacy)(\/|$)/,
    allows: /\.events$/,
    canary: { path: 'projections/mongo/a.ts', text: `import type { A } from '../../packages/people/person.decider';` },
  },
  {
    says: 'projections take only types from the MongoDB driver',
    files: /^projections\//,
    imports: /^mongodb$/,
    allowsTypes: true,
    canary: {
      path: 'projections/mongo/a.ts',
      text: `import { type Db, ObjectId } from 'mongodb';\nexport const idIn = (_: Db) => new ObjectId();`,
    },
  },
  {
    says: 'infra knows only the kernel, the evidence, the settings and the tokens',
    files: /^infra\//,
    imports: ATTEST,
    allows: /^(infra|packages\/(eventsourcing|evidence|config|auth))(\/|$)/,
    canary: { path: 'infra/mongo/a.ts', text: `import { people } from '../../projections/mongo/people';` },
  },
  {
    says: 'Nest stands only in apps and in the module of the engines',
    files: /^(packages|projections|infra)\//,
    except: /^infra\/engines\.module\.ts$/,
    imports: /^@nestjs\//,
    canary: { path: 'infra/mongo/a.ts', text: `import { Injectable } from '@nestjs/common';` },
  },
  {
    says: 'the embedded engines import nothing of the rest of Attest',
    files: /^infra\/embedded\//,
    imports: ATTEST,
    allows: /^infra\/embedded(\/|$)/,
    canary: { path: 'infra/embedded/mongo/a.ts', text: `const log = await import('../../log.js');` },
  },
  {
    says: 'queries and reports never read the event store; the status asks it for its head',
    files: /^apps\/reports\//,
    except: /^apps\/reports\/status\.controller\.ts$/,
    imports: /^infra\/eventstore(\/|$)/,
    canary: { path: 'apps/reports/a.controller.ts', text: `import { EventStoreDb } from '../../infra/eventstore';` },
  },
];
