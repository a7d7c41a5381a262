import { buffer } from 'node:stream/consumers';
import { strFromU8, unzipSync } from 'fflate';
import { workbookOf } from './xlsx';

async function* lines(...rows: readonly unknown[][]): AsyncGenerator<readonly unknown[]> {
  for (const row of rows) yield await Promise.resolve(row);
}

const partsOf = async (rows: AsyncIterable<readonly unknown[]>): Promise<Record<string, string>> => {
  const files = unzipSync(
    new Uint8Array(await buffer(workbookOf('a report with a name of more than 31 characters', rows))),
  );
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
};

it('holds every kind of value, and no text that is taken for anything else', async () => {
  const parts = await partsOf(lines(['course', 'n'], ['=1+1 <&">', -1.5], [null, true], ['ä\u0001😀', 0]));
  expect(parts['xl/worksheets/sheet1.xml']).toContain(
    '<sheetData>' +
      '<row><c t="inlineStr"><is><t xml:space="preserve">course</t></is></c><c t="inlineStr"><is><t xml:space="preserve">n</t></is></c></row>' +
      '<row><c t="inlineStr"><is><t xml:space="preserve">=1+1 &#60;&#38;&#34;&#62;</t></is></c><c><v>-1.5</v></c></row>' +
      '<row><c/><c t="b"><v>1</v></c></row>' +
      '<row><c t="inlineStr"><is><t xml:space="preserve">ä\ufffd😀</t></is></c><c><v>0</v></c></row>' +
      '</sheetData>',
  );
});

it('is a package of which every part is declared', async () => {
  const parts = await partsOf(lines(['course']));
  const declared = [...parts['[Content_Types].xml']!.matchAll(/PartName="\/([^"]+)"/g)].map(([, name]) => name);
  expect(declared).toEqual(['xl/workbook.xml', 'xl/worksheets/sheet1.xml']);
  expect(Object.keys(parts)).toEqual([
    '[Content_Types].xml',
    '_rels/.rels',
    'xl/workbook.xml',
    'xl/_rels/workbook.xml.rels',
    'xl/worksheets/sheet1.xml',
  ]);
  expect(/name="([^"]*)"/.exec(parts['xl/workbook.xml']!)?.[1]).toHaveLength(31);
});

it('is written while its rows come', async () => {
  let asked = 0;
  async function* endless(): AsyncGenerator<readonly unknown[]> {
    for (;;) yield await Promise.resolve([`row ${asked++}`, Math.sqrt(asked)]);
  }
  const stream = workbookOf('endless', endless());
  let bytes = 0;
  for await (const piece of stream) {
    bytes += (piece as Buffer).length;
    if (bytes > 100_000) break;
  }
  expect(asked).toBeGreaterThan(1_000);
  expect(asked).toBeLessThan(100_000);
});

it('fails, and does not end, when its rows do', async () => {
  async function* failing(): AsyncGenerator<readonly unknown[]> {
    yield await Promise.resolve(['a']);
    throw new Error('the warehouse is gone');
  }
  await expect(buffer(workbookOf('x', failing()))).rejects.toThrow('the warehouse is gone');
});
