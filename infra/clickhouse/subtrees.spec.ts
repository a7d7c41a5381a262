import type { ClickHouseClient } from '@clickhouse/client';
import type { ReportSql } from '../../packages/eventsourcing';
import { type SubtreeQuestion, Subtrees } from './subtrees';

const ROOT = person(0);
const FAR = '2026-06-01T00:00:00.000Z';

/** Ids by number, so that a team can be written as numbers. */
function person(n: number): string {
  return `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`;
}

interface Line {
  readonly tenant: string;
  readonly person: string;
  readonly manager: string;
  readonly position: bigint;
}

/** A warehouse that holds nothing but reporting lines, and counts what it is asked. */
class FakeLines {
  readonly asked = { teams: [] as string[], facts: [] as string[], changes: 0 };
  /** What it awaits before it answers. */
  before: (query: string) => Promise<void> = () => Promise.resolve();
  /** What the tables say of who made their rows. */
  builds = 'team_lines=build 0';
  private readonly lines: Line[] = [];
  readonly sql = { people: { teams: 'teams', facts: 'facts', changes: 'changes' } } as ReportSql;

  /** From now on these people report to this manager. */
  place(tenant: string, manager: number, people: readonly number[], position: bigint): void {
    for (const each of people) this.lines.push({ tenant, person: person(each), manager: person(manager), position });
  }

  get client(): ClickHouseClient {
    return {
      query: async ({ query, query_params }: { query: string; query_params: Record<string, string | string[]> }) => {
        await this.before(query);
        const rows = this.answer(query, query_params);
        return { json: () => Promise.resolve(rows) };
      },
    } as unknown as ClickHouseClient;
  }

  private answer(query: string, { tenant, ids, upTo, after }: Record<string, string | string[]>): unknown[] {
    const known = this.lines.filter((line) => line.tenant === tenant && line.position <= BigInt(upTo as string));
    if (query === 'changes') {
      this.asked.changes++;
      const fresh = known.filter(({ position }) => position > BigInt(after as string));
      const before = fresh.flatMap(({ person }) => known.filter((line) => line.person === person));
      const managers = [...new Set(before.map(({ manager }) => manager))];
      return [{ managers, people: [], latest: '2026-01-01 00:00:00.000', builds: this.builds }];
    }
    if (query === 'facts') {
      this.asked.facts.push(...ids!);
      return (ids as string[]).map((id) => ({ person: id, works: true, employeeNumber: id.slice(-2) }));
    }
    this.asked.teams.push(...ids!);
    const bosses = new Map(known.map(({ person, manager }) => [person, manager]));
    return (ids as string[]).map((manager) => ({
      manager,
      people: [...bosses].filter(([, boss]) => boss === manager).map(([id]) => id),
    }));
  }
}

/** 0 leads 1 and 2; 3 and 4 report to 1, 5 and 6 to 2. */
function smallTree(): FakeLines {
  const lines = new FakeLines();
  lines.place('acme', 0, [1, 2], 1n);
  lines.place('acme', 1, [3, 4], 2n);
  lines.place('acme', 2, [5, 6], 3n);
  return lines;
}

function question(more: Partial<SubtreeQuestion> = {}): SubtreeQuestion {
  return { tenant: 'acme', managers: [ROOT], scope: 'subtree', asOf: FAR, upTo: 9n, peopleChanged: 3n, ...more };
}

async function below(subtrees: Subtrees, asked: SubtreeQuestion): Promise<string[]> {
  const found = await subtrees.of(asked);
  return [...(found.get(asked.managers[0]!)?.keys() ?? [])].sort();
}

const people = (...numbers: number[]): string[] => numbers.map(person);

describe('Subtrees', () => {
  it('when many managers ask, then each team and person is read once, level by level', async () => {
    const lines = smallTree();
    const subtrees = new Subtrees(lines.client, lines.sql);
    const all = people(0, 1, 2, 3, 4, 5, 6);
    expect(await below(subtrees, question())).toEqual(all);
    for (const manager of all) await subtrees.of(question({ managers: [manager] }));
    await subtrees.of(question({ managers: all, scope: 'direct', upTo: 12n }));
    expect(lines.asked.teams.sort()).toEqual(all);
    expect(lines.asked.facts.sort()).toEqual(all);
    expect(lines.asked.changes).toBe(1);
    expect(await below(subtrees, question({ managers: [person(1)] }))).toEqual(people(1, 3, 4));
    expect(await below(subtrees, question({ scope: 'direct' }))).toEqual(people(0, 1, 2));
  });

  it('when somebody moves, then the two teams are read again and no other', async () => {
    const lines = smallTree();
    lines.place('other', 0, [7], 3n);
    const subtrees = new Subtrees(lines.client, lines.sql);
    await below(subtrees, question());
    await below(subtrees, question({ tenant: 'other' }));
    lines.place('acme', 2, [4], 10n);
    lines.asked.teams.length = 0;
    const moved = { upTo: 11n, peopleChanged: 10n };
    expect(await below(subtrees, question({ ...moved, managers: [person(1)] }))).toEqual(people(1, 3));
    expect(await below(subtrees, question({ ...moved, managers: [person(2)] }))).toEqual(people(2, 4, 5, 6));
    expect(await below(subtrees, question({ ...moved, tenant: 'other' }))).toEqual(people(0, 7));
    expect(await below(subtrees, question(moved))).toEqual(people(0, 1, 2, 3, 4, 5, 6));
    expect(lines.asked.teams.sort()).toEqual(people(1, 2));
  });

  it('when the tables are built anew, then nothing is taken from what was remembered', async () => {
    const lines = smallTree();
    const subtrees = new Subtrees(lines.client, lines.sql);
    await below(subtrees, question());
    lines.place('acme', 2, [3, 4], 2n);
    expect(await below(subtrees, question({ upTo: 11n }))).toEqual(people(0, 1, 2, 3, 4, 5, 6));
    lines.builds = 'team_lines=build 1';
    lines.asked.teams.length = 0;
    expect(await below(subtrees, question({ managers: [person(1)], upTo: 11n, peopleChanged: 11n }))).toEqual(
      people(1),
    );
    expect(lines.asked.teams).toEqual(people(1));
  });

  it('when somebody moves while the lines are being walked, then neither walk takes from the other', async () => {
    const lines = smallTree();
    const subtrees = new Subtrees(lines.client, lines.sql);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let walking = (): void => undefined;
    const began = new Promise<void>((resolve) => (walking = resolve));
    lines.before = async (query) => {
      if (query !== 'teams') return;
      walking();
      await held;
    };
    const early = below(subtrees, question());
    await began;
    lines.before = () => Promise.resolve();
    lines.place('acme', 2, [4], 10n);
    const late = question({ managers: [person(1)], upTo: 11n, peopleChanged: 10n });
    expect(await below(subtrees, late)).toEqual(people(1, 3));
    goOn();
    expect(await early).toEqual(people(0, 1, 2, 3, 4, 5, 6));
    expect(await below(subtrees, question({ managers: [person(1)] }))).toEqual(people(1, 3, 4));
    expect(await below(subtrees, late)).toEqual(people(1, 3));
  });

  it('when the question is about an earlier time or place in the log, or about too many people, then it says nothing', async () => {
    const lines = smallTree();
    const subtrees = new Subtrees(lines.client, lines.sql, 6);
    expect((await subtrees.of(question({ asOf: '2025-12-31T23:59:59.999Z' }))).size).toBe(0);
    expect((await subtrees.of(question({ upTo: 2n }))).size).toBe(0);
    expect((await subtrees.of(question({ managers: ['nobody'] }))).size).toBe(0);
    const found = await subtrees.of(question({ managers: people(0, 1) }));
    expect([...found.keys()]).toEqual(people(1));
  });

  it('when the lines cannot be read, then whoever asks is told, and the next one is answered', async () => {
    const lines = smallTree();
    const subtrees = new Subtrees(lines.client, lines.sql);
    lines.before = () => Promise.reject(new Error('ClickHouse is away'));
    await expect(subtrees.of(question())).rejects.toThrow('ClickHouse is away');
    lines.before = () => Promise.resolve();
    expect(await below(subtrees, question({ managers: [person(2)] }))).toEqual(people(2, 5, 6));
  });
});
