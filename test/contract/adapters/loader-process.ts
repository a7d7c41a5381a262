/**
 * A loader of the warehouse in a process of its own: takes over at once, lands a history when it is told to, and says what came of it.
 * Arguments: address of ClickHouse, database.
 */
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { WarehouseLoader } from '../../../infra/clickhouse';
import { readMigrations } from '../../../projections/clickhouse';
import { batchOf, randomHistory, SMALL } from './random-history';

async function main(url: string, database: string): Promise<void> {
  const clickhouse = createClient({ url, database, log: { level: ClickHouseLogLevel.OFF } });
  const loader = new WarehouseLoader(clickhouse, readMigrations());
  await loader.position();
  process.send!('ready');
  process.once('message', () => {
    void loader
      .apply(batchOf(randomHistory(1, SMALL)))
      .then(
        () => 'landed',
        (error: unknown) => (error instanceof ClickHouseError ? error.type : String(error)),
      )
      .then((outcome) => process.send!(outcome, () => process.exit()));
  });
}

void main(process.argv[2]!, process.argv[3]!);
