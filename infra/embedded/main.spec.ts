import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const main = join(__dirname, '../../dist/infra/embedded/main.js');
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-engine-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it.each(['eventstore', 'mongodb', 'clickhouse'])('%s that is asked for more than loopback says so', (engine) => {
  const asked = spawnSync(process.execPath, [main, engine, '--data', dir, '--host', '0.0.0.0'], { encoding: 'utf8' });
  expect(asked.status).toBe(1);
  expect(JSON.parse(asked.stdout)).toEqual({
    ready: false,
    error:
      'The embedded engines listen on 127.0.0.1 only, not on 0.0.0.0: ' +
      'for other machines run the real server, and give Attest its URL.',
  });
  expect(readdirSync(dir)).toEqual([]);
});

it.each([[[]], [['eventstore']], [['postgres', '--data', 'x']]])('with %j it says how it is called', (given) => {
  const called = spawnSync(process.execPath, [main, ...given], { encoding: 'utf8' });
  expect(called.status).toBe(2);
  expect(called.stderr).toMatch(/^usage: main\.js eventstore\|mongodb\|clickhouse --data DIR/);
});
