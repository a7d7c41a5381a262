import { parseStreamName, type RecordedEvent } from '../../packages/eventsourcing';

/** Categories that analysts may not read: of their events the warehouse keeps the place in the log, and not what they say. */
const CONFIDENTIAL = new Set(['auditlog']);

export type LandedRow = ReturnType<typeof toRow>;

/** @throws TypeError, RangeError for an event with metadata that Attest does not write */
export function toRow(event: RecordedEvent) {
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

/**
 * ClickHouse's basic parser takes `YYYY-MM-DD hh:mm:ss.mmm` in the column's zone, UTC, and nothing else.
 * @throws RangeError for what is no time, or not of a year with four digits
 */
export function toDateTime64(iso: string): string {
  const time = new Date(iso).toISOString();
  if (!/^\d{4}-/.test(time)) throw new RangeError(`${iso} is not in a year with four digits`);
  return time.replace('T', ' ').replace('Z', '');
}
