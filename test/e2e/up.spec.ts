import type { ChildProcess } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Status } from '../../apps/reports/status.controller';
import { LocalIssuer } from '../../packages/auth';
import { ApiClient } from './api-client';
import { spawnAttest } from './reachable-stack';
import { published } from './records';
import { attest, type CliResult, RunningStack, type StackOptions, temporaryFolder } from './running-stack';
import { until } from './until';

describe('attest up', () => {
  const folder = temporaryFolder();
  const started: RunningStack[] = [];
  afterAll(async () => {
    await Promise.all(started.map((stack) => stack.kill())); // what a failing test left running
    rmSync(folder, { recursive: true });
  });

  async function start(options: StackOptions): Promise<RunningStack> {
    const stack = await RunningStack.start(options);
    started.push(stack);
    return stack;
  }

  const up = (data: string, port = 0): Promise<CliResult> =>
    attest(['up', '--no-sample', '--port', String(port)], { ATTEST_DATA: data });

  function expectOneSentence({ code, stdout, stderr }: CliResult, sentence: RegExp): void {
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  }

  let holder: Server | undefined;
  afterEach(() => holder?.close());

  async function portInUse(port = 0): Promise<number> {
    holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    return (holder.address() as { port: number }).port;
  }

  describe('on one folder, from start to start', () => {
    const data = join(folder, 'lived');
    const course = published();
    let stack: RunningStack;

    it('given a fresh folder, when it says that it is ready, then reports answer and every consumer is named', async () => {
      stack = await start({ data });
      const admin = await stack.as('admin');
      const [report, status] = await Promise.all([
        admin.get('/v1/reports/course-outcomes'),
        admin.read<Status>('/v1/status'),
      ]);
      expect(report.status).toBe(200);
      expect(Object.keys(status.consumers)).toEqual(
        expect.arrayContaining(['mongo', 'clickhouse', expect.stringMatching(/^assignment/)]),
      );
    });

    it('given a running stack, when another starts on its folder, then one sentence says so and the first goes on', async () => {
      expectOneSentence(await up(data), /^attest: Attest already runs in .*lived \(process \d+, http.*\)\. Stop it/);
      const { code } = await stack.cli('report', 'course-outcomes');
      expect(code).toBe(0);
    });

    it('given a running stack, when it is killed, then its engines end and the next start has everything', async () => {
      const answer = await (await stack.as('admin')).command('publish-course', course);
      await stack.kill();

      stack = await start({ data, terminal: true });
      expect(await (await stack.as('admin')).command('publish-course', course)).toEqual({
        ...answer,
        events: [],
        outcome: 'already-known',
      });
    });

    it('given a running stack, when Ctrl-C is pressed, then it exits with 0 and leaves no process', async () => {
      expect(stack.engines().length).toBeGreaterThanOrEqual(3);
      await stack.pressCtrlC();
      expect(stack.stderr).toContain('Stopping');
      expectOneSentence(await attest(['report', 'course-outcomes', '--data', stack.data]), /No Attest runs/);
    });

    describe('and for somebody who reads what it says', () => {
      let next: ChildProcess;
      let said = '';
      afterAll(() => next.kill('SIGKILL')); // what a failing test left running

      it('given a folder whose last stack was killed, when its process id belongs to another process, then it starts', async () => {
        const somebody = { pid: process.ppid, ...stack.urls };
        writeFileSync(join(data, 'stack.json'), JSON.stringify(somebody));
        next = spawnAttest(['up', '--no-sample', '--port', '0'], { ATTEST_DATA: data });
        next.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
        await until(() => said.includes('Ctrl-C stops it.') || next.exitCode !== null);
        expect(next.exitCode).toBeNull();
      });

      it('when a command is refused, then that is in the log and not before their eyes', async () => {
        const [, api] = /^ +API +(http:.*)$/m.exec(said)!;
        const issuer = await LocalIssuer.open(join(data, 'issuer.json'));
        const admin = new ApiClient(api!, await issuer.issue({ sub: 'admin', tenant: 'acme', roles: ['admin'] }, '1h'));
        const { status } = await admin.send('complete-enrollment', { person: randomUUID(), course: 'never' });
        expect(status).toBe(422);
        next.kill('SIGINT');
        const [code] = (await once(next, 'close')) as [number | null];
        expect(code).toBe(0);
        expect(said).toContain(`Log          ${join(data, 'attest.log')}`);
        expect(said).not.toMatch(/^\{/m);
        expect(readFileSync(join(data, 'attest.log'), 'utf8')).toContain('urn:attest:problem:refused');
      });
    });
  });

  it('given two starts at once on one folder, then one is up and the other says why it is not', async () => {
    const data = join(folder, 'raced');
    const starts = await Promise.allSettled([start({ data }), start({ data })]);
    const stacks = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const reasons = starts.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []));
    const reports = await Promise.all(stacks.map((stack) => stack.cli('report', 'course-outcomes')));
    for (const stack of stacks) await stack.stop();
    expect(stacks).toHaveLength(1);
    expect(reasons).toEqual([expect.stringMatching(/ended with 2:\n[^]*^attest: .*raced.*\n$/m)]);
    expect(reports).toEqual([expect.objectContaining({ code: 0 })]);
  });

  it('given a port in use, then one sentence names it and no process is left', async () => {
    const port = await portInUse();
    expectOneSentence(await up(join(folder, 'port'), port), new RegExp(`^attest: Port ${port} is in use`));
  });

  it('given an engine’s port in use, then one sentence names it and no process is left', async () => {
    // Below those that the system gives away, so that nobody else has one of its neighbours.
    const port = await portInUse(randomInt(20_000, 30_000));
    expectOneSentence(await up(join(folder, 'engine-port'), port - 1), new RegExp(`^attest: .*\\b${port}\\b`));
  });

  it('given a data folder that is a file, then one sentence says so', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expectOneSentence(await up(file), /^attest: The data folder .*file cannot be used: it is not a folder\./);
    expectOneSentence(
      await up(join(file, 'below')),
      /^attest: The data folder .*below cannot be used: it is not a folder/,
    );
  });
});
