import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { type DomainEvent, openFields } from '../../packages/eventsourcing';
import { REPOSITORY } from './source-file';

/** An event as it once was written, kept for ever beside its context. */
export interface GoldenEvent {
  readonly type: string;
  /** Version of the data, counted from 1. */
  readonly schema: number;
  readonly data: object;
}

/** Where the golden file of one version of an event stands in its context's folder. */
export function goldenFile(folder: string, type: string, schema: number): string {
  return `${folder}/golden/${type}.v${schema}.json`;
}

/** @throws Error that says what to add when there is no such file */
export function readGolden(folder: string, type: string, schema: number): GoldenEvent {
  const file = goldenFile(folder, type, schema);
  if (!existsSync(join(REPOSITORY, file))) {
    throw new Error(
      `Add ${file}: {"type": "${type}", "schema": ${schema}, "data": {...}}, the data as version ${schema} writes it.`,
    );
  }
  return JSON.parse(readFileSync(join(REPOSITORY, file), 'utf8')) as GoldenEvent;
}

/** The golden files that stand in a context's folder. */
export function goldenFilesIn(folder: string): readonly string[] {
  const golden = join(REPOSITORY, folder, 'golden');
  return existsSync(golden) ? readdirSync(golden).map((file) => `${folder}/golden/${file}`) : [];
}

/** The key of everybody in the golden files, and the event that their sealed fields belong to. */
export const GOLDEN_KEY = Buffer.alloc(32, 'golden');
export const GOLDEN_OWNER = { tenant: 'acme', person: '08070d43-331b-5a1b-85de-13077ae5fa4d', id: 'golden' };

/** The event as all code sees it: its data lifted to the newest version, personal fields opened. */
export function lifted({ type, schema, data }: GoldenEvent): DomainEvent {
  const newest = eventCatalog.upcast(type, schema, data, '2026-01-01T00:00:00.000Z');
  return { type, data: openFields(newest, eventCatalog.personal(type), GOLDEN_KEY, { ...GOLDEN_OWNER, type }) };
}
