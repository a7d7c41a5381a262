import { Readable } from 'node:stream';
import { Zip, ZipDeflate } from 'fflate';

/** Rows that a sheet of Excel holds, the names of the columns among them. */
const MOST_ROWS = 1_048_576;
/** Characters of a sheet that are compressed at a time. */
const PIECE = 64 * 1024;

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/**
 * A workbook (ECMA-376, SpreadsheetML) with one sheet, written row by row as the rows come. The first row holds the names of the columns.
 * Texts stand in their cells as texts, so that none is ever taken for a formula.
 * @throws RangeError, by the stream, for more rows than a sheet holds
 */
export function workbookOf(sheet: string, rows: AsyncIterable<readonly unknown[]>): Readable {
  return Readable.from(workbook(sheet, rows), { objectMode: false });
}

async function* workbook(sheet: string, rows: AsyncIterable<readonly unknown[]>): AsyncGenerator<Buffer> {
  const written: Buffer[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    written.push(Buffer.from(piece));
  });
  const open = (name: string): ((text: string, last?: boolean) => void) => {
    const file = new ZipDeflate(name, { level: 6 });
    zip.add(file);
    return (text, last = false) => file.push(Buffer.from(text), last);
  };
  for (const [name, text] of Object.entries(partsOf(sheet))) open(name)(HEAD + text, true);

  const write = open('xl/worksheets/sheet1.xml');
  let text = `${HEAD}<worksheet xmlns="${MAIN}"><sheetData>`;
  let count = 0;
  for await (const row of rows) {
    if (++count > MOST_ROWS) throw new RangeError(`A sheet holds ${MOST_ROWS} rows: ask for CSV or Parquet.`);
    text += `<row>${row.map(cellOf).join('')}</row>`;
    if (text.length < PIECE) continue;
    write(text);
    text = '';
    yield* written.splice(0);
  }
  write(`${text}</sheetData></worksheet>`, true);
  zip.end();
  yield* written;
}

function partsOf(sheet: string): Record<string, string> {
  const part = (name: string, type: string): string =>
    `<Override PartName="/${name}" ContentType="${TYPE}.${type}+xml"/>`;
  return {
    '[Content_Types].xml':
      `<Types xmlns="${PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>` +
      `<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      `${part('xl/workbook.xml', 'sheet.main')}${part('xl/worksheets/sheet1.xml', 'worksheet')}</Types>`,
    '_rels/.rels': relationship('officeDocument', 'xl/workbook.xml'),
    'xl/workbook.xml':
      `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>` +
      // A name has at most 31 characters.
      `<sheet name="${escaped(sheet.slice(0, 31))}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationship('worksheet', 'worksheets/sheet1.xml'),
  };
}

function relationship(type: string, target: string): string {
  return `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/${type}" Target="${target}"/></Relationships>`;
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '<c/>';
  if (typeof value === 'number') return `<c><v>${value}</v></c>`;
  if (typeof value === 'boolean') return `<c t="b"><v>${Number(value)}</v></c>`;
  return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(typeof value === 'string' ? value : JSON.stringify(value))}</t></is></c>`;
}

/** What XML 1.0 has no character for becomes U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
