import { brokenCode } from './code-rule';
import { codeRules } from './code-rules';
import { PRODUCT_FOLDERS, readSources } from './source-file';

const sources = readSources(PRODUCT_FOLDERS);

describe.each(codeRules)('$says', (rule) => {
  const concerned = sources.filter(({ path }) => rule.files.test(path));

  it('holds', () => {
    expect(concerned).not.toEqual([]);
    expect(brokenCode(rule, concerned)).toEqual([]);
  });

  it.each(rule.canaries)('reports %s', (canary) => {
    const { path } = concerned[0]!;
    expect(brokenCode(rule, [{ path, text: `export const found = () => ${canary};` }])).toHaveLength(1);
  });
});

it('lets a date be made from what is given, and a field have any name', () => {
  const text = 'export const due = (at: { date: string; process: string }) => [new Date(at.date), at.process];';
  expect(brokenCode(codeRules[0]!, [{ path: 'a.decider.ts', text }])).toEqual([]);
});
