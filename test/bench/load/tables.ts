import type { LoadReport } from './index';
import { type Floor, keeps, type PartResult } from './part';

const NUMBER = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** The report as Markdown tables, one for each part: what `docs/performance.md` shows. */
export function tablesOf({ machine, command, at, results }: LoadReport): string {
  const { cpu, cores, memoryGb, system } = machine;
  const head = `\`${command}\`, ${at.slice(0, 10)}, ${cpu}, ${cores} cores, ${memoryGb} GB, ${system}\n`;
  return [head, ...results.map(tableOf)].join('\n');
}

function tableOf(result: PartResult): string {
  const { name, figures, floors } = result;
  const rows = Object.entries(figures).map(([figure, value]) => {
    const floor = floors.find((each) => each.figure === figure);
    return [
      figure,
      NUMBER.format(value),
      floor ? wanted(floor) : '',
      floor ? (keeps(result, floor) ? 'yes' : 'NO') : '',
    ];
  });
  return aligned([[name, 'measured', 'floor', 'kept'], ...rows]);
}

function wanted({ atLeast, atMost, aim }: Floor): string {
  const floor = atLeast !== undefined ? `at least ${NUMBER.format(atLeast)}` : `at most ${NUMBER.format(atMost!)}`;
  return aim === undefined ? floor : `${floor}, aim ${NUMBER.format(aim)}`;
}

function aligned(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${row.map((cell, column) => (column === 1 ? cell.padStart(widths[1]!, fill) : cell.padEnd(widths[column]!, fill))).join(' | ')} |\n`;
  const [head, ...body] = rows;
  const rule = `| ${widths.map((width, column) => (column === 1 ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |\n`;
  return [line(head!), rule, ...body.map((row) => line(row))].join('');
}
