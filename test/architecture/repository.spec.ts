import { execFileSync } from 'node:child_process';
import { PRODUCT_FOLDERS, readSources, REPOSITORY, type SourceFile } from './source-file';

const LONGEST = 450;
const TOP_LEVEL = [
  ...['apps', 'docs', 'infra', 'packages', 'projections', 'test'],
  ...['README.md', 'docker-compose.yml', 'nest-cli.json', 'package-lock.json', 'package.json', 'tsconfig.json'],
];

function tooLong(sources: readonly SourceFile[]): readonly string[] {
  return sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LONGEST)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}

function strayAtTop(files: readonly string[]): readonly string[] {
  const names = new Set(files.map((file) => file.split('/')[0]!));
  return [...names].filter((name) => !name.startsWith('.') && !TOP_LEVEL.includes(name));
}

describe(`no source file has more than ${LONGEST} lines`, () => {
  it('holds', () => {
    expect(tooLong(readSources([...PRODUCT_FOLDERS, 'test']))).toEqual([]);
  });

  it('reports its canary', () => {
    expect(tooLong([{ path: 'apps/a.ts', text: 'work();\n'.repeat(LONGEST) }])).toEqual([]);
    expect(tooLong([{ path: 'apps/a.ts', text: 'work();\n'.repeat(LONGEST + 1) }])).toHaveLength(1);
  });
});

describe('the top of the repository holds what the README names', () => {
  it('holds', () => {
    const files = execFileSync('git', ['ls-files'], { cwd: REPOSITORY, encoding: 'utf8' }).trim().split('\n');
    expect(strayAtTop(files)).toEqual([]);
  });

  it('reports its canary', () => {
    expect(strayAtTop(['.ci/run', 'apps/people/main.ts', 'scripts/fix.sh', 'notes.md'])).toEqual([
      'scripts',
      'notes.md',
    ]);
  });
});
