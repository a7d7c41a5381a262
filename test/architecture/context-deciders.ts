import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyDecider } from '../../packages/eventsourcing';
import { REPOSITORY } from './source-file';

/** A decider with what its source says about it. */
export interface ContextDecider {
  /** The folder of its context, from the top of the repository. */
  readonly folder: string;
  readonly decider: AnyDecider;
  /** Wire names of the events that it folds. */
  readonly events: readonly string[];
}

const DECIDER = /export const (\w+): Decider<\w+, \w+, (\w+)>/g;
const UNION = /export type (\w+) =((?:\s*\|?\s*\b\w+\b)+);/g;

/**
 * Every decider of every context. Which events one folds stands only in its type, so it is read from there:
 * `Decider<State, Command, Union>`, and the union in the context's `*.events.ts`.
 */
export async function loadDeciders(): Promise<readonly ContextDecider[]> {
  const found: ContextDecider[] = [];
  for (const folder of contextFolders()) {
    const unions = new Map(
      textsOf(folder, '.events.ts').flatMap(({ text }) =>
        [...text.matchAll(UNION)].map(([, name, members]) => [name!, members!.match(/\w+/g)!] as const),
      ),
    );
    for (const { file, text } of textsOf(folder, '.decider.ts')) {
      const module = (await import(join(REPOSITORY, folder, file))) as Record<string, AnyDecider>;
      for (const [, name, union] of text.matchAll(DECIDER)) {
        found.push({ folder, decider: module[name!]!, events: unions.get(union!) ?? [union!] });
      }
    }
  }
  return found;
}

function contextFolders(): readonly string[] {
  return readdirSync(join(REPOSITORY, 'packages'))
    .map((name) => `packages/${name}`)
    .filter((folder) => textsOf(folder, '.events.ts').length > 0);
}

function textsOf(folder: string, ending: string): readonly { file: string; text: string }[] {
  return readdirSync(join(REPOSITORY, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => ({ file, text: readFileSync(join(REPOSITORY, folder, file), 'utf8') }));
}
