import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = join(__dirname, '..', '..', 'packages');
const contexts = ['people', 'enrollment', 'assessment', 'privacy'];

/** The codes with which a context's deciders refuse. */
function codesOf(context: string): string[] {
  const folder = join(PACKAGES, context);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  const text = sources.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  return [...new Set([...text.matchAll(/new DomainError\(\s*'([a-z-]+)'/g)].map(([, code]) => code!))];
}

it.each(contexts)('the README of %s lists every code with which a command is refused', (context) => {
  const readme = readFileSync(join(PACKAGES, context, 'README.md'), 'utf8');
  const codes = codesOf(context);
  expect(codes.length).toBeGreaterThan(1);
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
