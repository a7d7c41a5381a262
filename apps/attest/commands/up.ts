import { type Command, InvalidArgumentError, Option } from 'commander';
import { command } from './command';

export function addUpCommand(program: Command): void {
  command(program, 'up', 'bring up the engines and every service, and stay up')
    .addOption(
      new Option('--port <n>', 'port of the API; the engines take the next four; 0 takes free ports for everything')
        .default(7400)
        .argParser(parsePort),
    )
    .option('--no-sample', 'do not load the sample data on the first start')
    .action(async (options: { data?: string; port: number; sample: boolean; json?: boolean }) => {
      const { up } = await import('../up.js');
      await up(options);
    });
}

/** The engines need the next four ports. */
function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_531) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65531.');
}
