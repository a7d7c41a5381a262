import ts from 'typescript';
import type { SourceFile } from './source-file';

/** Names and calls that do not stand in some files. */
export interface CodeRule {
  readonly says: string;
  readonly files: RegExp;
  /** Matched against each name, `a.b`, call and `new` as they are written. */
  readonly forbids: RegExp;
  /** Expressions that break the rule, each of which must be reported. */
  readonly canaries: readonly string[];
}

/** Every place that breaks the rule, as `file:line: code`. */
export function brokenCode(rule: CodeRule, sources: readonly SourceFile[]): readonly string[] {
  return sources.filter(({ path }) => rule.files.test(path)).flatMap((source) => findings(rule.forbids, source));
}

function findings(forbidden: RegExp, { path, text }: SourceFile): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const code = isReference(node) ? node.getText(file) : undefined;
    if (code !== undefined && forbidden.test(code)) {
      found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}: ${code}`);
    } else {
      ts.forEachChild(node, visit);
    }
  };
  visit(file);
  return found;
}

/** A name that is used, not one that is given: `process` in `process.env`, not in `order.process`. */
function isReference(node: ts.Node): boolean {
  if (!ts.isIdentifier(node)) {
    return ts.isPropertyAccessExpression(node) || ts.isCallExpression(node) || ts.isNewExpression(node);
  }
  const { parent } = node;
  return ts.isShorthandPropertyAssignment(parent) || (parent as Partial<ts.NamedDeclaration>).name !== node;
}
