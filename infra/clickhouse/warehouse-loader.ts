import type { ClickHouseClient } from '@clickhouse/client';
import {
  type EventBatch,
  parseStreamName,
  type RecordedEvent,
  type WarehouseMigration,
} from '../../packages/eventsourcing';
import type { Consumer } from '../consumer';

/**
 * Brings the log into the landing table and the tables derived from it. One writer, large batches, deduplicated by position
 * before the insert; each derived table then takes the same range of positions inside ClickHouse. Whatever a crash cuts
 * short is taken up from what the tables themselves say.
 */
export class WarehouseLoader implements Consumer {
  readonly name = 'clickhouse';
  readonly options = { maxBatch: 20_000, lingerMs: 200 };
  private landed = 0n;
  private derived = new Map<string, bigint>();

  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly migrations: readonly WarehouseMigration[],
  ) {}

  async position(): Promise<bigint | undefined> {
    for (const { create } of this.migrations) for (const query of create) await this.clickhouse.command({ query });
    this.landed = await this.scalar('SELECT max(position) FROM events');
    this.derived = await this.watermarks();
    await this.derive();
    return this.landed === 0n ? undefined : this.landed;
  }

  async apply({ events }: EventBatch): Promise<void> {
    const fresh = events.filter(({ position }) => position > this.landed);
    if (fresh.length === 0) return;
    await this.clickhouse.insert({ table: 'events', values: fresh.map(toRow), format: 'JSONEachRow' });
    this.landed = fresh[fresh.length - 1]!.position;
    await this.derive();
  }

  /** Brings every derived table up to what has landed, including one that is new and starts from the beginning. */
  private async derive(): Promise<void> {
    const upTo = this.landed;
    const moved: { name: string; position: string }[] = [];
    for (const { name, derive } of this.migrations) {
      const after = this.derived.get(name) ?? 0n;
      if (!derive || after >= upTo) continue;
      await this.clickhouse.command({
        query: derive,
        query_params: { after: after.toString(), upTo: upTo.toString() },
      });
      moved.push({ name, position: upTo.toString() });
    }
    if (moved.length === 0) return;
    await this.clickhouse.insert({ table: 'watermarks', values: moved, format: 'JSONEachRow' });
    for (const { name } of moved) this.derived.set(name, upTo);
  }

  private async watermarks(): Promise<Map<string, bigint>> {
    const query = 'SELECT name, toString(max(position)) AS position FROM watermarks GROUP BY name';
    const answer = await this.clickhouse.query({ query, format: 'JSONEachRow' });
    const rows = await answer.json<{ name: string; position: string }>();
    return new Map(rows.map(({ name, position }) => [name, BigInt(position)]));
  }

  private async scalar(query: string): Promise<bigint> {
    const answer = await this.clickhouse.query({ query, format: 'TabSeparated' });
    return BigInt((await answer.text()).trim());
  }
}

/** Categories that analysts may not read: of their events the warehouse keeps the place in the log, and not what they say. */
const CONFIDENTIAL = new Set(['auditlog']);

function toRow(event: RecordedEvent) {
  const { position, stream, revision, type, id, metadata, recordedAt } = event;
  const { tenant, actor, commandId, $correlationId, $causationId, occurredAt } = metadata;
  const category = parseStreamName(stream)?.category ?? '';
  return {
    position: position.toString(),
    tenant,
    category,
    stream,
    revision,
    type,
    id,
    data: landedData(event),
    actor: CONFIDENTIAL.has(category) ? '' : actor.sub,
    via: actor.via,
    command_id: commandId,
    correlation_id: $correlationId,
    causation_id: $causationId,
    occurred_at: toDateTime64(occurredAt),
    recorded_at: toDateTime64(recordedAt),
  };
}

/** What the landing table holds as an event's data. Personal data stays sealed: the warehouse is not the place to read it. */
export function landedData({ stream, data, sealed }: RecordedEvent): string {
  return CONFIDENTIAL.has(parseStreamName(stream)?.category ?? '') ? '{}' : JSON.stringify(sealed ?? data);
}

/** ClickHouse's basic parser takes `YYYY-MM-DD hh:mm:ss.mmm` in the column's zone, UTC, and nothing else. */
export function toDateTime64(iso: string): string {
  return new Date(iso).toISOString().replace('T', ' ').replace('Z', '');
}
