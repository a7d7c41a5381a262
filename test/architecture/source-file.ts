import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The repository that the rules are about. */
export const REPOSITORY = join(__dirname, '../..');

/** The folders that hold what runs. */
export const PRODUCT_FOLDERS = ['apps', 'packages', 'projections', 'infra'] as const;

/** The text of a file and where it stands, from the top of the repository and with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file under these folders except specs, which cross boundaries on purpose. */
export function readSources(folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.spec\.ts$/.test(entry.name))
    .map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return { path: relative(REPOSITORY, file).split(sep).join('/'), text: readFileSync(file, 'utf8') };
    });
}
