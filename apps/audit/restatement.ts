import type { ScratchWarehouse } from '../../infra/clickhouse';
import { type RowDifference, rowDifferences } from './row-difference';

/** A part of the way from a report as it was known to the same report as it is known now. */
export interface RestatementStep {
  /** Log positions: what lies after the first and up to the second changed the cells so. */
  readonly after: string;
  readonly upTo: string;
  /** The event, where the step is one event alone. */
  readonly event: StepEvent | null;
  /** How many events of each type lie in the step; what happened after the report's date is left out. */
  readonly events: Readonly<Record<string, number>>;
  readonly changes: readonly RowDifference[];
}

export interface StepEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly via: string;
}

type Rows = readonly object[];

interface Range {
  readonly after: bigint;
  readonly upTo: bigint;
}

/**
 * Explains how a report came to say something else: asks it at positions in between until each step is one event. The steps lead from
 * the one to the other without a gap. Where that would take more than `budget` questions, what is left stands in larger steps.
 */
export class Restatement {
  constructor(
    private readonly scratch: ScratchWarehouse,
    private readonly ask: (upTo: bigint) => Promise<Rows>,
    /** ISO 8601 date and time of the report, as ClickHouse reads it. */
    private readonly effective: string,
    private budget: number,
  ) {}

  async *steps(range: Range, then: Rows, now: Rows): AsyncGenerator<RestatementStep> {
    const changes = rowDifferences(then, now);
    if (changes.length === 0) return;
    const { count, middle } = await this.divide(range);
    if (count > 1 && this.budget > 0) {
      this.budget--;
      const between = await this.ask(middle);
      yield* this.steps({ after: range.after, upTo: middle }, then, between);
      yield* this.steps({ after: middle, upTo: range.upTo }, between, now);
      return;
    }
    const upTo = count === 1 ? middle : range.upTo;
    const positions = { after: range.after.toString(), upTo: upTo.toString() };
    yield { ...positions, ...(await this.eventsOf(range, count)), changes };
  }

  private async divide(range: Range): Promise<{ count: number; middle: bigint }> {
    const query = `
      SELECT toUInt32(count()) AS count, toString(quantileExactLow(0.5)(events.position)) AS middle
      FROM events WHERE ${IN_RANGE}`;
    const [row] = await this.rows<{ count: number; middle: string }>(query, range);
    return { count: row!.count, middle: BigInt(row!.middle) };
  }

  private async eventsOf(range: Range, count: number): Promise<Pick<RestatementStep, 'event' | 'events'>> {
    const types = await this.rows<{ type: string; count: number }>(
      `SELECT type, toUInt32(count()) AS count FROM events WHERE ${IN_RANGE} GROUP BY type ORDER BY type`,
      range,
    );
    const events = Object.fromEntries(types.map(({ type, count }) => [type, count]));
    if (count !== 1) return { event: null, events };
    const [event] = await this.rows<StepEvent>(
      `SELECT toString(id) AS id, type, stream, ${iso('occurred_at')} AS occurredAt, ${iso('recorded_at')} AS recordedAt, actor, via
       FROM events WHERE ${IN_RANGE}`,
      range,
    );
    return { event: event!, events };
  }

  private async rows<Row>(query: string, { after, upTo }: Range): Promise<Row[]> {
    const query_params = { after: after.toString(), upTo: upTo.toString(), effective: this.effective };
    const answer = await this.scratch.clickhouse.query({ query, query_params, format: 'JSONEachRow' });
    return answer.json<Row>();
  }
}

/** Reports take what had happened by their date, whichever event says so. */
const IN_RANGE = `events.position > {after:UInt64} AND events.position <= {upTo:UInt64} AND occurred_at <= {effective:DateTime64(3, 'UTC')}`;

function iso(column: string): string {
  return `concat(replaceOne(toString(${column}), ' ', 'T'), 'Z')`;
}
