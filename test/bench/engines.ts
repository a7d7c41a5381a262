/**
 * The embedded engines against their floors, one after the other, each in a process of its own so that none pays for the garbage of
 * another.
 */
import { fork } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { thisMachine } from './load';
import type { BenchResult } from './mongo';

const ENGINES: Readonly<Record<string, () => Promise<BenchResult>>> = {
  eventstore: async () => (await import('./eventstore.js')).benchEventStore(),
  mongodb: async () => (await import('./mongo.js')).benchMongo(),
  clickhouse: async () => (await import('./clickhouse.js')).benchClickHouse(),
};
/** What `main.js` is started with to run one bench and send its result to the process that forked it. */
export const ONE = '--one';

export interface Miss {
  figure: string;
  value: number;
  floor: number;
}

/** Floors that a result does not keep. Figures whose names end in `Ms` are times: less is better. */
export function misses({ name, figures, floors }: BenchResult): Miss[] {
  return Object.entries(floors)
    .map(([figure, floor]) => ({ figure: `${name}.${figure}`, value: figures[figure] ?? NaN, floor }))
    .filter(({ figure, value, floor }) => !(figure.endsWith('Ms') ? value <= floor : value >= floor));
}

/** Runs one bench in a process of its own. */
function measure(engine: string): Promise<BenchResult> {
  return new Promise((resolve, reject) => {
    let result: BenchResult | undefined;
    const child = fork(join(__dirname, 'main.js'), [ONE, engine], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (message) => (result = message as BenchResult));
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (result && code === 0) resolve(result);
      else reject(new Error(`The bench of ${engine} ended without a result (${signal ?? `exit code ${code}`}).`));
    });
  });
}

export function table({ name, figures, floors }: BenchResult): string {
  const number = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
  const lines = Object.entries(figures).map(([figure, value]) => {
    const floor = floors[figure];
    const wanted =
      floor === undefined ? '' : `${figure.endsWith('Ms') ? 'at most' : 'at least'} ${number.format(floor)}`;
    return `  ${figure.padEnd(24)}${number.format(value).padStart(12)}   ${wanted}`.trimEnd();
  });
  return `${name}\n${lines.join('\n')}\n`;
}

/** Gives the exit code: 1 when a floor is missed. */
export async function benchEngines(json: boolean): Promise<number> {
  const machine = { ...thisMachine(), load: loadavg()[0]! };
  process.stderr.write(
    `The load of this machine is ${machine.load}: each process besides the bench makes its figures lower.\n`,
  );
  const results: BenchResult[] = [];
  for (const engine of Object.keys(ENGINES)) {
    process.stderr.write(`Measuring ${engine} ...\n`);
    const result = await measure(engine);
    results.push(result);
    if (!json) process.stdout.write(`${table(result)}\n`);
  }
  const missed = results.flatMap(misses);
  if (json) process.stdout.write(`${JSON.stringify({ machine, results, missed }, null, 2)}\n`);
  for (const { figure, value, floor } of missed) {
    process.stderr.write(`Missed: ${figure} is ${Math.round(value * 100) / 100}, its floor ${floor}.\n`);
  }
  return missed.length > 0 ? 1 : 0;
}

/** In the process that `measure` forks. */
export async function benchOne(engine: string): Promise<void> {
  const result = await ENGINES[engine]!();
  await new Promise((resolve) => process.send!(result, resolve));
}
