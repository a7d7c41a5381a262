import { importsOf, runtimeImportsOf } from './imports';
import type { SourceFile } from './source-file';

/** What some files may import. All patterns are about paths from the top of the repository, or names of packages. */
export interface ImportRule {
  readonly says: string;
  /** The files that the rule is about. */
  readonly files: RegExp;
  readonly except?: RegExp;
  /** The imports that the rule is about ... */
  readonly imports: RegExp;
  /** ... and which of them are allowed. */
  readonly allows?: RegExp;
  /** Whether imports of types, which are gone when the file runs, are allowed. */
  readonly allowsTypes?: boolean;
  /** A file that breaks the rule, and must be reported. */
  readonly canary: SourceFile;
}

/** Whether the rule is about this file. */
export function isAbout({ files, except }: Pick<ImportRule, 'files' | 'except'>, { path }: SourceFile): boolean {
  return files.test(path) && !except?.test(path);
}

/** Every import that breaks the rule, as `file imports module`. */
export function brokenImports(rule: ImportRule, sources: readonly SourceFile[]): readonly string[] {
  return sources
    .filter((source) => isAbout(rule, source))
    .flatMap((source) =>
      (rule.allowsTypes ? runtimeImportsOf : importsOf)(source)
        .filter((name) => rule.imports.test(name) && !rule.allows?.test(name))
        .map((name) => `${source.path} imports ${name}`),
    );
}
