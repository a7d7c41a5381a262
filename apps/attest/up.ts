import { personIdOf } from '../../packages/people';
import { type Role, ROLES } from '../../packages/commands';
import { AttestClient, tokenFor } from './client';
import { DataFolder, type StackUrls } from './data-folder';
import { regionUnit } from './import/oulad';
import { countSample, loadSample } from './sample';
import { startStack } from './stack';
import { progressBar, say, table } from './terminal';

export interface UpOptions {
  readonly data?: string;
  readonly port: number;
  readonly sample: boolean;
  readonly json?: boolean;
}

/** Brings everything up, loads the sample on the first start, prints where everything is, and stays until it is told to stop. */
export async function up({ data: path, port, sample, json }: UpOptions): Promise<void> {
  const data = new DataFolder(path);
  // A person reads the log when needed; a program, and whoever asks for a log, gets it on stderr.
  const logFile = json || process.env.ATTEST_LOG ? undefined : data.logFile;
  const stack = await startStack({ data, port, report: say, logFile });
  const stopped = untilToldToStop();
  const { urls } = stack;
  if (sample && !data.isFinished('sample')) {
    const bar = progressBar('Loading the sample', await countSample(urls.nats));
    const client = async (tenant: string) => new AttestClient(urls.api, await tokenFor(data, tenant, 'admin'));
    const clients = { acme: await client('acme'), ou: await client('ou') };
    await loadSample(clients, urls.nats, bar.advance);
    bar.stop();
    data.finish('sample');
  }
  if (json) process.stdout.write(`${JSON.stringify({ ready: true, ...urls })}\n`);
  else await introduce(data, urls, logFile);
  await stopped;
  say('Stopping ...');
  await stack.close();
}

async function introduce(data: DataFolder, urls: StackUrls, logFile: string | undefined): Promise<void> {
  say();
  say('Attest is up.');
  say();
  say(`  API          ${urls.api}`);
  say(`  OpenAPI      ${urls.api}/docs`);
  say(`  EventStoreDB ${urls.eventstore}`);
  say(`  MongoDB      ${urls.mongodb}`);
  say(`  ClickHouse   ${urls.clickhouse}`);
  say(`  NATS         ${urls.nats ?? 'not running'}`);
  say(`  Data         ${data.path}`);
  if (logFile) say(`  Log          ${logFile}`);
  say();
  say('Tokens of tenant "ou", good for one hour ("npx attest token --help" makes others):');
  say();
  const manager = personIdOf('ou', `manager-${regionUnit('Scotland')}`);
  const subjects: Partial<Record<Role, string>> = { manager, learner: personIdOf('ou', '11391') };
  const rows = ROLES.map(async (role) => ({ role, token: await tokenFor(data, 'ou', role, subjects[role]) }));
  say(table(await Promise.all(rows)));
  say();
  say('Ctrl-C stops it.');
}

/** Resolves at SIGINT or SIGTERM; a second one ends the process at once. */
function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.on('SIGINT', () => process.exit(130));
      resolve();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
