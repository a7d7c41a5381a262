import { SingleBar } from 'cli-progress';

/** Lines for people go to stderr, so that stdout holds answers only. */
export function say(line = ''): void {
  process.stderr.write(`${line}\n`);
}

/** The answer of a command, on stdout: one JSON value for programs, or what `forPeople` writes. */
export function answer(value: unknown, json: boolean, forPeople: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${forPeople()}\n`);
}

/** Rows as a table, numbers to the right. */
export function table(rows: readonly object[]): string {
  if (rows.length === 0) return '(no rows)';
  const columns = Object.keys(rows[0]!);
  const cells = rows.map((row) => columns.map((column) => cell((row as Record<string, unknown>)[column])));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i]!.length)));
  const isNumber = columns.map((column) =>
    rows.some((row) => typeof (row as Record<string, unknown>)[column] === 'number'),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (isNumber[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A progress bar on stderr; where that is no terminal, a line now and then. */
export function progressBar(label: string, total: number): { advance: (by: number) => void; stop: () => void } {
  const bar = new SingleBar({
    format: `${label} [{bar}] {percentage}% | {value}/{total} | {duration_formatted}`,
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 2_000,
    hideCursor: true,
  });
  bar.start(total, 0);
  return { advance: (by) => bar.increment(by), stop: () => bar.stop() };
}
