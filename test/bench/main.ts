/**
 * `npm run bench -- engines [--json]`: the embedded engines against their floors, one after the other, each in a process of
 * its own so that none pays for the garbage of another. Progress goes to stderr, results to stdout; 1 when a floor is missed.
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { BenchResult } from './mongo';

const USAGE = `Usage: npm run bench -- engines [--json]

Measures the embedded engines through their official clients, in about two minutes.

  --json   one JSON value on stdout instead of a table
  --help   this text

Exit codes: 0 when every floor is kept, 1 when one is missed or a bench fails, 2 for wrong arguments.
`;

const ENGINES: Record<string, () => Promise<BenchResult>> = {
  eventstore: async () => (await import('./eventstore.js')).benchEventStore(),
  mongodb: async () => (await import('./mongo.js')).benchMongo(),
  clickhouse: async () => (await import('./clickhouse.js')).benchClickHouse(),
};
/** What this file is started with to run one bench and send its result to the process that forked it. */
const ONE = '--one';

interface Miss {
  figure: string;
  value: number;
  floor: number;
}

/** Floors that a result does not keep. Figures whose names end in `Ms` are times: less is better. */
function misses({ name, figures, floors }: BenchResult): Miss[] {
  return Object.entries(floors)
    .map(([figure, floor]) => ({ figure: `${name}.${figure}`, value: figures[figure] ?? NaN, floor }))
    .filter(({ figure, value, floor }) => !(figure.endsWith('Ms') ? value <= floor : value >= floor));
}

/** Runs one bench in a process of its own. */
function measure(engine: string): Promise<BenchResult> {
  return new Promise((resolve, reject) => {
    let result: BenchResult | undefined;
    const child = fork(__filename, [ONE, engine], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (message) => (result = message as BenchResult));
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (result && code === 0) resolve(result);
      else reject(new Error(`The bench of ${engine} ended without a result (${signal ?? `exit code ${code}`}).`));
    });
  });
}

function table({ name, figures, floors }: BenchResult): string {
  const number = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
  const lines = Object.entries(figures).map(([figure, value]) => {
    const floor = floors[figure];
    const wanted =
      floor === undefined ? '' : `${figure.endsWith('Ms') ? 'at most' : 'at least'} ${number.format(floor)}`;
    return `  ${figure.padEnd(24)}${number.format(value).padStart(12)}   ${wanted}`.trimEnd();
  });
  return `${name}\n${lines.join('\n')}\n`;
}

async function engines(json: boolean): Promise<number> {
  const results: BenchResult[] = [];
  for (const engine of Object.keys(ENGINES)) {
    process.stderr.write(`Measuring ${engine} ...\n`);
    const result = await measure(engine);
    results.push(result);
    if (!json) process.stdout.write(`${table(result)}\n`);
  }
  const missed = results.flatMap(misses);
  if (json) process.stdout.write(`${JSON.stringify({ results, missed }, null, 2)}\n`);
  for (const { figure, value, floor } of missed) {
    process.stderr.write(`Missed: ${figure} is ${Math.round(value * 100) / 100}, its floor ${floor}.\n`);
  }
  return missed.length > 0 ? 1 : 0;
}

function wrong(message: string): number {
  process.stderr.write(`${message}\n\n${USAGE}`);
  return 2;
}

async function main(given: string[]): Promise<number> {
  const [first, engine = ''] = given;
  if (first === ONE) {
    const result = await ENGINES[engine]!();
    await new Promise((resolve) => process.send!(result, resolve));
    return 0;
  }
  let parsed;
  try {
    parsed = parseArgs({
      args: given,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
  } catch (error) {
    return wrong((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (positionals.length !== 1) return wrong('Name what to measure: engines.');
  if (positionals[0] !== 'engines') return wrong(`There is no bench '${positionals[0]}'; there is: engines.`);
  return engines(values.json);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
