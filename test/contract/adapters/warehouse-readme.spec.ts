/** What `projections/clickhouse/README.md` tells analysts is so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useLoadedWarehouse } from './loaded-warehouse';
import { randomHistory, SMALL } from './random-history';

const README = readFileSync(join(__dirname, '../../../projections/clickhouse/README.md'), 'utf8');
const loaded = useLoadedWarehouse(randomHistory(7, SMALL));

const questions = [...README.matchAll(/^\d+\. (.+)\n\n {3,4}```sql\n([\s\S]*?) {3,4}```$/gm)].map(
  ([, question = '', sql = '']) => [question, sql] as const,
);
const answer = async (query: string): Promise<Record<string, string | number>[]> =>
  (await loaded.analyst.query({ query, format: 'JSONEachRow' })).json();

it('describes every table and column that there is, with its type, and no other', async () => {
  const described = README.split(/^### /m)
    .slice(1)
    .flatMap((section) =>
      [...section.matchAll(/^\| `(\w+)` +\| `(.+?)` +\| \S/gm)].map(
        ([, column, type]) => `${/^`(\w+)`/.exec(section)?.[1]}.${column} ${type}`,
      ),
    );
  const columns = await answer(
    `SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND position(table, '__') = 0`,
  );
  expect(described.sort()).toEqual(columns.map(({ table, name, type }) => `${table}.${name} ${type}`).sort());
});

it('asks ten questions', () => {
  expect(questions).toHaveLength(10);
});

it.each(questions)('an analyst can ask: %s', async (_, sql) => {
  expect((await answer(sql)).length).toBeGreaterThan(0);
});

it('shows that everything is there once', async () => {
  const [, sql] = questions.at(-1)!;
  expect(await answer(sql)).toEqual([{ once: 1, streams_with_gaps: expect.anything() as number, derived: 1 }]);
});
