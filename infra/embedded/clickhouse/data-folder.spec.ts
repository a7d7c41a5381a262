/** What the engine does with folders that are not its own, not whole or in use: one sentence, and nothing touched. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildEngine, startEngineProcess } from '../child';
import { EngineStartError } from '../engine';

let dir: string;
const templates = mkdtempSync(join(tmpdir(), 'attest-clickhouse-template-'));
const template = join(templates, 'filled');
const engines: ChildEngine[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-clickhouse-folder-'));
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.kill();
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => rmSync(templates, { recursive: true, force: true }));

async function start(dataDir = dir, port = 0): Promise<ChildEngine> {
  const engine = await startEngineProcess('clickhouse', { dataDir, port });
  engines.push(engine);
  return engine;
}

async function ask(url: string, query: string): Promise<string> {
  return (await fetch(url, { method: 'POST', body: query })).text();
}

/** Names, sizes and times of what a folder holds: equal before and after means not touched. */
function contents(folder: string): unknown[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return [name, size, mtimeMs];
  });
}

async function refusal(dataDir = dir, port = 0): Promise<string> {
  const before = contents(dataDir);
  const error: unknown = await start(dataDir, port).then(
    (engine) => engine.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineStartError);
  expect(contents(dataDir)).toEqual(before);
  const { message } = error as EngineStartError;
  expect(message).toMatch(/^[^\n]+\.$/);
  return message;
}

/** Puts a folder with a table of ten rows, closed cleanly, in the place of this one. */
async function filled(): Promise<void> {
  if (!existsSync(template)) await fill(template);
  cpSync(template, dir, { recursive: true, verbatimSymlinks: true });
}

async function fill(dataDir: string): Promise<void> {
  const engine = await start(dataDir);
  await ask(engine.url, 'CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a');
  await ask(engine.url, 'INSERT INTO t SELECT number FROM numbers(10)');
  await engine.close();
}

it('a missing folder is made, and what is in it is there after a restart', async () => {
  dir = join(dir, 'deep', 'down');
  await fill(dir);
  const engine = await start();
  expect(await ask(engine.url, 'SELECT sum(a) FROM t')).toBe('45\n');
  await engine.close();
  const copy = `${dir}-copy`;
  cpSync(dir, copy, { recursive: true });
  const elsewhere = await start(copy);
  expect(await ask(elsewhere.url, 'SELECT sum(a) FROM t')).toBe('45\n');
  await elsewhere.close();
});

it('a folder of someone else is refused', async () => {
  writeFileSync(join(dir, 'thesis.doc'), 'precious');
  expect(await refusal()).toContain('thesis.doc');
});

it('a file in its place is refused', async () => {
  writeFileSync(join(dir, 'file'), '');
  await expect(start(join(dir, 'file'))).rejects.toBeInstanceOf(EngineStartError);
});

it.each([
  ['of another engine', '{"format":"attest-eventstore","version":1,"ready":true}'],
  ['of another version', '{"format":"attest-clickhouse","version":99,"ready":true}'],
  ['that is none', 'not json'],
])('a marker %s is refused', async (_what, marker) => {
  writeFileSync(join(dir, 'format.json'), marker);
  await refusal();
});

it('a folder whose database is gone is refused', async () => {
  await filled();
  rmSync(join(dir, 'data'), { recursive: true });
  expect(await refusal()).toContain('damaged');
});

it('a part that was cut short is refused or left out, never taken for whole', async () => {
  await filled();
  const store = join(dir, 'data', 'store');
  const part = (readdirSync(store, { recursive: true }) as string[]).find((name) => name.endsWith('data.bin') || name.endsWith('.bin'));
  truncateSync(join(store, part!), 3);
  const answer = await start().then(
    async (engine) => {
      const text = await ask(engine.url, 'SELECT count(), sum(a) FROM t');
      await engine.close();
      return text;
    },
    (error: Error) => error.message,
  );
  expect(answer).not.toBe('10\t45\n');
  expect(answer).toMatch(/^0\t0\n|Exception|cannot be opened/);
}); // prettier-ignore

it('a start that was killed before the folder was ready is taken up again', async () => {
  writeFileSync(join(dir, 'format.json'), '{"format":"attest-clickhouse","version":1,"ready":false}');
  mkdirSync(join(dir, 'data', 'metadata'), { recursive: true });
  writeFileSync(join(dir, 'data', 'metadata', 'half'), 'made');
  await fill(dir);
});

it('a folder serves one engine at a time', async () => {
  const engine = await start();
  await expect(start()).rejects.toThrow(/in use/);
  expect(await ask(engine.url, 'SELECT 1')).toBe('1\n');
  await engine.kill();
  await (await start()).close();
  expect(readdirSync(dir)).not.toContain('engine.lock');
});

it('a lock of a process that is gone does not keep the folder', async () => {
  await filled();
  writeFileSync(join(dir, 'engine.lock'), JSON.stringify({ pid: process.pid, started: '1' }));
  await (await start()).close();
});

it('a port in use is one sentence, and the folder stays free', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  expect(await refusal(dir, port)).toBe(`Port ${port} for ClickHouse is in use; free it or choose another.`);
  expect(readdirSync(dir)).toEqual([]);
  other.close();
});

it('what a killed engine left of data on its way is removed', async () => {
  await filled();
  mkdirSync(join(dir, 'spool'), { recursive: true });
  writeFileSync(join(dir, 'spool', 'left'), 'x');
  const engine = await start();
  expect(readdirSync(join(dir, 'spool'))).not.toContain('left');
  expect(readFileSync(join(dir, 'format.json'), 'utf8')).toContain('"ready":true');
  await engine.close();
});
