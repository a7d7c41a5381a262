import { brokenImports, isAbout } from './import-rule';
import { importRules } from './import-rules';
import { PRODUCT_FOLDERS, readSources } from './source-file';

const sources = readSources(PRODUCT_FOLDERS);

describe.each(importRules)('$says', (rule) => {
  it('holds', () => {
    expect(brokenImports(rule, sources)).toEqual([]);
  });

  it('is about files that exist', () => {
    expect(sources.some((source) => isAbout(rule, source))).toBe(true);
  });

  it('reports its canary', () => {
    expect(brokenImports(rule, [rule.canary])).toHaveLength(1);
  });
});
