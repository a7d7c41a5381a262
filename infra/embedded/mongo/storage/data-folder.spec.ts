import { createServer } from 'node:net';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startEngineProcess } from '../../child';
import { EngineStartError } from '../../engine';
import { startMongo } from '..';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-mongo-folder-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const start = (dataDir = dir, port = 0): ReturnType<typeof startMongo> => startMongo({ dataDir, port });

/** Names, sizes and times of what a folder holds: equal before and after means not touched. */
const contents = (folder: string): unknown =>
  readdirSync(folder)
    .sort()
    .map((name) => [name, statSync(join(folder, name)).size, statSync(join(folder, name)).mtimeMs]);

async function refusal(dataDir = dir, port = 0): Promise<string> {
  const before = statSync(dataDir).isDirectory() ? contents(dataDir) : undefined;
  const error: unknown = await start(dataDir, port).then(
    (engine) => engine.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineStartError);
  if (before) expect(contents(dataDir)).toEqual(before);
  const { message } = error as EngineStartError;
  expect(message).toMatch(/^[^\n]+\.$/);
  return message;
}

/** A folder with data, closed cleanly. */
async function filled(): Promise<void> {
  const engine = await start();
  const client = await MongoClient.connect(engine.url);
  await client
    .db('d')
    .collection('c')
    .insertMany(Array.from({ length: 2_000 }, (_, n) => ({ n, pad: 'x'.repeat(500) })));
  await client.close();
  await engine.close();
}

it('creates a missing folder', async () => {
  const engine = await start(join(dir, 'a', 'b'));
  await engine.close();
  expect(readdirSync(join(dir, 'a', 'b'))).toContain('attest-mongodb.json');
});

it('refuses a folder of someone else', async () => {
  writeFileSync(join(dir, 'thesis.doc'), 'precious');
  expect(await refusal()).toContain('attest-mongodb.json');
});

it('refuses a file in the place of the folder', async () => {
  writeFileSync(join(dir, 'file'), '');
  expect(await refusal(join(dir, 'file'))).toContain('is a file');
});

it('refuses another format', async () => {
  writeFileSync(join(dir, 'attest-mongodb.json'), '{"engine":"attest-mongodb","format":99,"state":"ready"}');
  expect(await refusal()).toContain('format 99');
  writeFileSync(join(dir, 'attest-mongodb.json'), 'not json');
  expect(await refusal()).toContain('format null');
});

it.each([0, 100, 5_000, 0.3, 0.9])('refuses a database file cut to %d', async (length) => {
  await filled();
  const path = join(dir, 'data.mdb');
  truncateSync(path, length < 1 ? Math.floor(statSync(path).size * length) : length);
  expect(await refusal()).toContain('damaged');
});

it('refuses a folder without its database file and one with another file in its place', async () => {
  await filled();
  rmSync(join(dir, 'data.mdb'));
  expect(await refusal()).toContain('missing');
  writeFileSync(join(dir, 'data.mdb'), Buffer.alloc(100_000, 7));
  expect(await refusal()).toContain('header');
});

it('opens a copy of a folder', async () => {
  await filled();
  const copy = join(dir, '..', `${dir.split('/').pop()}-copy`);
  cpSync(dir, copy, { recursive: true });
  const engine = await start(copy);
  const client = await MongoClient.connect(engine.url);
  expect(await client.db('d').collection('c').countDocuments()).toBe(2_000);
  await client.close();
  await engine.close();
  rmSync(copy, { recursive: true });
});

it('refuses a folder in use, by this process and by another one', async () => {
  const engine = await start();
  await expect(start()).rejects.toThrow(/in use by process/);
  await engine.close();
  const child = await startEngineProcess('mongodb', { dataDir: dir, port: 0 });
  await expect(start()).rejects.toThrow(new RegExp(`in use by process ${child.process.pid}`));
  await child.kill();
  await (await start()).close();
});

it('takes over the lock of a process that is gone', async () => {
  await filled();
  writeFileSync(join(dir, 'attest-mongodb.lock'), '999999999 1\n');
  await (await start()).close();
  expect(readdirSync(dir)).not.toContain('attest-mongodb.lock');
});

it('refuses a port in use and leaves the folder free', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  await expect(start(dir, port)).rejects.toThrow(EngineStartError);
  await expect(start(dir, port)).rejects.toThrow(`Port ${port}`);
  other.close();
  await (await start()).close();
});

it('begins again with a folder whose creation was cut off', async () => {
  mkdirSync(join(dir, 'x'));
  writeFileSync(join(dir, 'x', 'attest-mongodb.json'), '{"engine":"attest-mongodb","format":1,"state":"creating"}');
  writeFileSync(join(dir, 'x', 'data.mdb'), 'half');
  await (await start(join(dir, 'x'))).close();
  expect(readFileSync(join(dir, 'x', 'attest-mongodb.json'), 'utf8')).toContain('ready');
});
