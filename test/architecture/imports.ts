import { posix } from 'node:path';
import ts from 'typescript';
import type { SourceFile } from './source-file';

/** What a file imports, types included: packages by name, files of Attest as paths from the top without extension. */
export const importsOf = oncePerFile(({ path, text }) => importedNames(text).map((name) => resolve(name, path)));

/** What is left of the imports when the file runs: those of types are gone. */
export const runtimeImportsOf = oncePerFile(({ path, text }) => {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  return importsOf({ path, text: outputText });
});

/** Many rules ask for the imports of one file. */
function oncePerFile(importsOf: (file: SourceFile) => readonly string[]): (file: SourceFile) => readonly string[] {
  const known = new WeakMap<SourceFile, readonly string[]>();
  return (file) => {
    const imports = known.get(file) ?? importsOf(file);
    known.set(file, imports);
    return imports;
  };
}

function importedNames(text: string): readonly string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function resolve(name: string, from: string): string {
  return name.startsWith('.') ? posix.join(posix.dirname(from), name).replace(/(\.[jt]s|\/)$/, '') : name;
}
