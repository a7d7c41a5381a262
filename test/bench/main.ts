/**
 * `npm run bench -- engines|load|replay`: measures and holds the figures against their floors. Progress goes to stderr, results to stdout; 1
 * when a floor is missed.
 */
import { parseArgs } from 'node:util';
import { benchEngines, benchOne, ONE } from './engines';
import { CANNED, serveCanned } from './canned';
import { benchLoad, LOAD_PARTS } from './load';
import { benchReplay } from './replay';

const USAGE = `Usage: npm run bench -- engines [--json]
       npm run bench -- load [PART...] [--quick] [--json]
       npm run bench -- replay [--quick] [--json]

engines   the embedded engines through their official clients, in about two minutes; where the client is the limit, the same client
          is measured against canned answers too, and the floor is a share of what it reaches there
load      Attest as a whole, every service and engine a process of its own: ${LOAD_PARTS.join(', ')};
          all of them when none is named
replay    what the audit makes of the log, replay and verification, against a raw read of the same events

  --quick  load and replay at a smaller size
  --json   one JSON value on stdout instead of a table
  --help   this text

Exit codes: 0 when every floor is kept, 1 when one is missed or a bench fails, 2 for wrong arguments.
`;

function wrong(message: string): number {
  process.stderr.write(`${message}\n\n${USAGE}`);
  return 2;
}

async function main(given: string[]): Promise<number> {
  if (given[0] === CANNED) {
    await serveCanned(given[1] ?? '');
    return 0;
  }
  if (given[0] === ONE) {
    await benchOne(given[1] ?? '');
    return 0;
  }
  let parsed;
  try {
    parsed = parseArgs({
      args: given,
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return wrong((error as Error).message);
  }
  const { json, quick, help } = parsed.values;
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [bench, ...parts] = parsed.positionals;
  switch (bench) {
    case 'engines':
      if (parts.length > 0) return wrong('engines has no parts.');
      if (quick) return wrong('--quick is for load and replay.');
      return benchEngines(json);
    case 'load': {
      const unknown = parts.find((part) => !LOAD_PARTS.includes(part));
      if (unknown !== undefined) return wrong(`load has no part '${unknown}'; there are: ${LOAD_PARTS.join(', ')}.`);
      return benchLoad({ parts: parts.length > 0 ? parts : LOAD_PARTS, quick, json });
    }
    case 'replay':
      if (parts.length > 0) return wrong('replay has no parts.');
      return benchReplay({ quick, json });
    case undefined:
      return wrong('Name what to measure: engines, load or replay.');
    default:
      return wrong(`There is no bench '${bench}'; there are: engines, load, replay.`);
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
