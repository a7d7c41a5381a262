import type { Command } from 'commander';
import { answer, say, table } from '../terminal';
import type { TourResult } from '../tour';
import { command } from './command';

export function addTourCommand(program: Command): void {
  command(
    program,
    'tour',
    'show the main job once through, on a stack of its own, checked against the files that it reads',
  )
    .option('--files <dir>', 'a folder with employees and oulad in it, instead of the sample')
    .action(async ({ json, files }: { json?: boolean; files?: string }) => {
      const { tour } = await import('../tour.js');
      const result = await tour(say, files);
      answer(result, Boolean(json), () => tables(result));
      if (!result.ok) process.exitCode = 1;
    });
}

/** What people are shown: a table for each part, and the outcome. */
export function tables({ ok, seconds, ...parts }: TourResult): string {
  const rows = Object.entries(parts).map(([part, figures]) => ({ part, ok: String(figures.ok), ...flat(figures) }));
  return `${rows.map((row) => table([row])).join('\n\n')}\n\n${ok ? 'Everything agrees' : 'SOMETHING DIFFERS'} (${seconds.toFixed(1)} s).`;
}

function flat(figures: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null ? Object.entries(value as object) : [[key, value as unknown]],
    ),
  );
}
