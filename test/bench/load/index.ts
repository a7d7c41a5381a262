import { cpus, release, totalmem } from 'node:os';
import { lag } from './lag';
import { type Floor, keeps, type Part, type PartResult } from './part';
import { peak } from './peak';
import { rebuild } from './rebuild';
import { scale } from './scale';
import { soak } from './soak';
import { tablesOf } from './tables';
import { write } from './write';

/** In the order in which they run. */
const PARTS: Readonly<Record<string, Part>> = { write, lag, peak, rebuild, scale, soak };

/** Names of the parts. */
export const LOAD_PARTS: readonly string[] = Object.keys(PARTS);

export interface Miss extends Floor {
  readonly part: string;
  readonly value: number | null;
}

export interface LoadReport {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly system: string;
  };
  readonly command: string;
  readonly at: string;
  readonly results: readonly PartResult[];
  readonly missed: readonly Miss[];
}

export interface LoadOptions {
  readonly parts: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
}

/** Measures and prints. Gives the exit code: 1 when a floor is missed. */
export async function benchLoad({ parts, quick, json }: LoadOptions): Promise<number> {
  const report = await measureLoad(parts, quick, (step) =>
    process.stderr.write(`${String(Math.round(performance.now() / 1000)).padStart(5)} s  ${step}\n`),
  );
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : tablesOf(report));
  return report.missed.length > 0 ? 1 : 0;
}

/** Runs the parts one after the other, each on a stack of its own. */
async function measureLoad(
  parts: readonly string[],
  quick: boolean,
  report: (step: string) => void,
): Promise<LoadReport> {
  const results: PartResult[] = [];
  for (const name of parts) {
    report(`${name} ...`);
    results.push(await PARTS[name]!({ quick, report: (step) => report(`  ${name}: ${step}`) }));
  }
  const missed = results.flatMap((result) =>
    result.floors
      .filter((floor) => !keeps(result, floor))
      .map((floor) => ({ part: result.name, ...floor, value: result.figures[floor.figure] ?? null })),
  );
  const all = parts.length === Object.keys(PARTS).length;
  const command = `npm run bench -- load${all ? '' : ` ${parts.join(' ')}`}${quick ? ' --quick' : ''} --json`;
  return { machine: thisMachine(), command, at: new Date().toISOString(), results, missed };
}

export function thisMachine(): LoadReport['machine'] {
  const [first] = cpus();
  const system = `Linux ${release()}, Node ${process.version}`;
  return { cpu: first?.model ?? 'unknown', cores: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30), system };
}
