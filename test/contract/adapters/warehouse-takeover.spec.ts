/** One loader takes over from another that has not ended: nothing lands twice, whatever the other one was at. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { WarehouseLoader } from '../../../infra/clickhouse';
import { LandingDoor } from '../../../infra/clickhouse/landing-door';
import { readMigrations } from '../../../projections/clickhouse';
import { until } from '../../e2e/until';
import { server, value } from '../clickhouse/harness';
import { batchOf, randomHistory, SMALL } from './random-history';

const LOADER = join(__dirname, '../../../dist/test/contract/adapters/loader-process.js');
/** An insert into the landing table as it begins in a request. */
const INSERT = /query=INSERT\+INTO\+events/;

const clickhouse = server();
const history = randomHistory(1, SMALL);
const newLoader = () => new WarehouseLoader(clickhouse.client, readMigrations());
const isOnce = `SELECT count() = uniqExact(position) AND count() = ${history.length} FROM events`;

let gate: Gate;
let sleeper: ChildProcess;
beforeAll(() => newLoader().prepare());
afterEach(() => clickhouse.client.command({ query: 'TRUNCATE TABLE events' }));

describe('given a loader that falls asleep in the middle of an insert, when another takes over and it wakes', () => {
  beforeEach(async () => {
    gate = await Gate.before(clickhouse.url);
    sleeper = fork(LOADER, [gate.url, clickhouse.database], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(sleeper, 'message');
  });
  afterEach(async () => {
    sleeper.kill('SIGKILL');
    await gate.close();
  });

  it('then its insert is refused, and everything is there once', async () => {
    sleeper.send('land');
    await until(() => gate.isHolding);
    sleeper.kill('SIGSTOP');
    const other = newLoader();
    expect(await other.position()).toBeUndefined();
    await other.apply(batchOf(history));
    const told = once(sleeper, 'message');
    gate.open();
    sleeper.kill('SIGCONT');
    expect(await told).toEqual(['UNKNOWN_TABLE', undefined]);
    expect(await value(clickhouse.client, isOnce)).toBe('1');
  });
});

it('given an insert that the server is at, when another loader takes over, then it is there as a whole or never will be', async () => {
  const [first, second] = [new LandingDoor(clickhouse.client), new LandingDoor(clickhouse.client)];
  await first.open();
  const landing = clickhouse.client.command({ query: slowInsertInto(`events__${first.term}`) }).then(
    () => '3',
    () => '0',
  );
  const running =
    "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'";
  await until(async () => (await value(clickhouse.client, running)) !== '0');
  await second.open();
  const landed = await value(clickhouse.client, 'SELECT count() FROM events');
  expect(landed).toBe(await landing);
  expect(await value(clickhouse.client, 'SELECT count() FROM events')).toBe(landed);
});

const slowInsertInto = (table: string): string => `
  INSERT INTO ${table} (position, stream)
  SELECT number, 'acme.attempt-1' FROM numbers(3) WHERE sleepEachRow(0.3) = 0`;

/** Stands between a client and ClickHouse, and keeps back the second half of what comes first of an insert into the landing table. */
class Gate {
  isHolding = false;
  private kept: (() => void) | undefined;

  private constructor(private readonly listener: Server) {}

  static async before(url: string): Promise<Gate> {
    const { hostname, port } = new URL(url);
    const gate: Gate = new Gate(createServer());
    gate.listener.on('connection', (client) => {
      const upstream = connect(Number(port), hostname);
      client.on('error', () => upstream.destroy()).on('close', () => upstream.end());
      upstream.on('error', () => client.destroy()).pipe(client);
      client.on('data', (sent) => {
        if (gate.isHolding || gate.kept || !INSERT.test(sent.toString('latin1'))) return void upstream.write(sent);
        upstream.write(sent.subarray(0, sent.length / 2));
        client.pause();
        gate.isHolding = true;
        gate.kept = () => {
          upstream.write(sent.subarray(sent.length / 2));
          client.resume();
        };
      });
    });
    gate.listener.listen(0, '127.0.0.1');
    await once(gate.listener, 'listening');
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  open(): void {
    this.isHolding = false;
    this.kept?.();
  }

  async close(): Promise<void> {
    this.listener.close();
    await once(this.listener, 'close');
  }
}
