import { Inject, Injectable } from '@nestjs/common';
import { ScratchWarehouse, toDateTime64, Warehouse } from '../../infra/clickhouse';
import { SETTINGS } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Settings } from '../../packages/config';
import { type LogReader, readLog } from '../../packages/eventsourcing';
import { readMigrations, reportSql, reportNames } from '../../projections/clickhouse';
import { projectionVersion, reportDigest } from '../../projections/clickhouse/report-digest';
import { InvalidParameterError } from '../shared/problems';
import { type Tell, ToldReading } from '../shared/progress';
import { Restatement, type RestatementStep } from './restatement';
import { type RowDifference, rowDifferences } from './row-difference';

/** What of a saved answer is needed to get it again. */
export interface ReproductionRequest {
  readonly report: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly position: string;
  /** ISO 8601. */
  readonly effective: string;
}

/** A report recomputed from the log alone, as it was known, and restated as it is known now. */
export interface Reproduced extends ReproductionRequest {
  readonly projection: string;
  readonly rows: readonly object[];
  /** Over what was recomputed; the answer had the same unless it, the log or the SQL is another one. */
  readonly digest: string;
  readonly restated: {
    readonly position: string;
    readonly rows: readonly object[];
    readonly digest: string;
    /** Each cell that says something else now. */
    readonly differences: readonly RowDifference[];
    /** How they came about, event by event. */
    readonly steps: readonly RestatementStep[];
  };
}

type Ask = (request: ReproductionRequest, upTo: bigint) => Promise<object[]>;

/** Makes reports again from the log alone: loads it into a scratch database and asks the same SQL. */
@Injectable()
export class Reproduction {
  constructor(
    private readonly store: EventStoreDb,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * Reads the log once for all of them.
   * @param budget questions that may be asked to explain one report
   * @throws InvalidParameterError that names what is wrong with which request
   */
  async run(
    tenant: string,
    requests: readonly ReproductionRequest[],
    budget: number,
    tell: Tell = () => undefined,
  ): Promise<Reproduced[]> {
    const log = new ToldReading(this.store, tell);
    const upTo = (await log.head()) ?? 0n;
    requests.forEach((request, at) => refuse(request, `reports.${at}`, tenant, upTo));
    return ScratchWarehouse.use(this.settings.clickhouse, readMigrations(), async (scratch) => {
      const warehouse = new Warehouse(scratch.clickhouse, reportSql);
      const ask: Ask = ({ report, parameters, effective }, position) =>
        warehouse.report<object>(report, { ...parameters, tenant, asOf: effective, upTo: position });
      const rows = await loadAndAsk(log, scratch, tenant, upTo, requests, ask);
      const reproduced: Reproduced[] = [];
      for (const [at, request] of requests.entries()) {
        log.turnsTo(`Explaining what has changed since report ${at + 1} of ${requests.length}`);
        reproduced.push(await restate(scratch, request, rows.get(request)!, upTo, ask, budget));
      }
      return reproduced;
    });
  }
}

/** Asks for each report when the scratch database holds what the log held at its position, and nothing of what came later. */
async function loadAndAsk(
  log: LogReader,
  scratch: ScratchWarehouse,
  tenant: string,
  upTo: bigint,
  requests: readonly ReproductionRequest[],
  ask: Ask,
): Promise<Map<ReproductionRequest, object[]>> {
  const rows = new Map<ReproductionRequest, object[]>();
  const waiting = [...requests].sort((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1));
  const askBefore = async (position: bigint): Promise<void> => {
    for (let next = waiting[0]; next && BigInt(next.position) < position; next = waiting[0]) {
      waiting.shift();
      await scratch.flush();
      rows.set(next, await ask(next, BigInt(next.position)));
    }
  };
  for await (const events of readLog(log, `${tenant}.`, upTo)) {
    for (const event of events) {
      if (waiting[0]) await askBefore(event.position);
      await scratch.add(event);
    }
  }
  await askBefore(upTo + 1n);
  await scratch.flush();
  return rows;
}

async function restate(
  scratch: ScratchWarehouse,
  request: ReproductionRequest,
  rows: readonly object[],
  upTo: bigint,
  ask: Ask,
  budget: number,
): Promise<Reproduced> {
  const { report, parameters, position, effective } = request;
  const projection = projectionVersion(report);
  const digestAt = (at: string, digested: readonly object[]): string =>
    reportDigest({ report, parameters, asOf: { position: at, effective }, projection, rows: digested });
  const now = await ask(request, upTo);
  const restatement = new Restatement(scratch, (at) => ask(request, at), toDateTime64(effective), budget);
  const steps: RestatementStep[] = [];
  for await (const step of restatement.steps({ after: BigInt(position), upTo }, rows, now)) steps.push(step);
  const last = upTo.toString();
  const differences = rowDifferences(rows, now);
  return {
    report,
    parameters,
    position,
    effective,
    projection,
    rows,
    digest: digestAt(position, rows),
    restated: { position: last, rows: now, digest: digestAt(last, now), differences, steps },
  };
}

function refuse(
  { report, parameters, position }: ReproductionRequest,
  field: string,
  tenant: string,
  upTo: bigint,
): void {
  if (!reportNames().includes(report)) {
    throw new InvalidParameterError(`${field}.report`, `is none of ${reportNames().join(', ')}`);
  }
  if (parameters.tenant !== tenant) {
    throw new InvalidParameterError(`${field}.parameters.tenant`, 'is not the tenant of the token');
  }
  if (BigInt(position) > upTo) {
    throw new InvalidParameterError(`${field}.position`, `lies after the end of the log, which is ${upTo}`);
  }
}
