import { writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { USERS_XML } from './access';

const GIB = 1024 ** 3;
/**
 * How often ClickHouse compares what it counted of its memory with what it has, in milliseconds. Twenty times a second, as it does by itself, is
 * most of what it takes while nobody asks it anything.
 */
const MEMORY_LOOK = 500;

/**
 * Writes ClickHouse's configuration below the data folder, anew at every start.
 * @returns the command line of the first connection
 */
export function configure(folder: string): readonly string[] {
  const users = join(folder, 'users.xml');
  const config = join(folder, 'config.xml');
  writeFileSync(users, USERS_XML);
  writeFileSync(config, configXml(users));
  return [`--config-file=${config}`];
}

/** A quarter of the machine for queries, between one and four gibibytes; caches are a small part of that. */
export function memoryLimit(): number {
  return Math.round(Math.min(Math.max(totalmem() / 4, GIB), 4 * GIB));
}

function configXml(users: string): string {
  const limit = memoryLimit();
  return `<clickhouse>
  <users_config>${users}</users_config>
  <user_directories><users_xml><path>${users}</path></users_xml></user_directories>
  <max_server_memory_usage>${limit}</max_server_memory_usage>
  <mark_cache_size>${Math.round(limit / 16)}</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <memory_worker_period_ms>${MEMORY_LOOK}</memory_worker_period_ms>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>
  </merge_tree>
</clickhouse>
`;
}
