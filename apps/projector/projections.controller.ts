import type { ClickHouseClient } from '@clickhouse/client';
import { ConflictException, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Db } from 'mongodb';
import { TableBuilds } from '../../infra/clickhouse';
import { CLICKHOUSE } from '../../infra/engines.module';
import { Parked, type ParkedDocument, ReadModels } from '../../infra/mongo';
import type { Caller } from '../../packages/auth';
import { type Build, type BuildResult, NoPreviousError, type ReadModelState } from '../../packages/eventsourcing';
import { mongoProjections } from '../../projections';
import { readMigrations } from '../../projections/clickhouse';
import { PageParameters } from '../reports/query-parameters';
import { Allow, CallerOf } from '../shared/authentication';
import { isFinalRefusal, NotFoundError } from '../shared/problems';
import { ProjectionStatus, type ProjectionRow } from './projection-status';
import { WorkflowCommands } from './workflow-commands';

/** Where a projection's documents or a table's rows stand, and what takes their place. */
export interface ReadModelAnswer {
  readonly projection: string;
  readonly active: Build;
  readonly building: ReadModelState['building'];
  readonly previous: Build | null;
  readonly last: BuildResult | null;
}

export type ParkedEvent = Omit<ParkedDocument, '_id' | 'command' | 'parkedAt'> & {
  readonly id: string;
  readonly parkedAt: string;
};

export interface RedriveAnswer {
  /** Read models that are built anew, their parked events in their places. */
  readonly rebuilding: readonly string[];
  /** Commands of workflows that were sent again. */
  readonly commands: number;
  /** How many of them were refused again. */
  readonly refused: number;
  /** Events that workflows failed on and take up again now; `redriving` until that is done. */
  readonly workflows: number;
}

/** For those who run Attest: how far everything has come, and what to do about it. */
@ApiTags('operations')
@ApiBearerAuth()
@Controller('v1/projections')
@Allow('admin')
export class ProjectionsController {
  private readonly readModels: ReadModels;
  private readonly tables: TableBuilds;
  private readonly parkedEvents: Parked;

  constructor(
    db: Db,
    @Inject(CLICKHOUSE) clickhouse: ClickHouseClient,
    private readonly projectionStatus: ProjectionStatus,
    private readonly commands: WorkflowCommands,
  ) {
    this.readModels = new ReadModels(db, mongoProjections);
    this.tables = new TableBuilds(clickhouse, readMigrations());
    this.parkedEvents = new Parked(db);
  }

  @Get()
  list(@CallerOf() { tenant }: Caller): Promise<ProjectionRow[]> {
    return this.projectionStatus.rows(tenant);
  }

  /** The tenant's events that could not be applied to what queries read, or by workflows, each with its reason. */
  @Get('parked')
  async parked(@CallerOf() { tenant }: Caller, @Query() { limit, after }: PageParameters): Promise<ParkedEvent[]> {
    const others = (await this.readModels.list()).flatMap(({ previous, building }) => [previous, building]);
    const without = others.flatMap((build) => build?.collection ?? []);
    return (await this.parkedEvents.list(tenant, { limit, after, without })).map(
      ({ _id: id, command: _command, parkedAt, ...parked }) => ({ id, ...parked, parkedAt: parkedAt.toISOString() }),
    );
  }

  /**
   * Drives the tenant's parked events again. An event that is applied late is not applied in its place: read models that lack one are built
   * anew beside what queries read. Commands of workflows are sent again, under the ids that they had. What workflows failed on they take up
   * by themselves.
   */
  @Post('redrive')
  @HttpCode(202)
  async redrive(@CallerOf() { tenant }: Caller): Promise<RedriveAnswer> {
    const parked = await this.parkedEvents.list(tenant);
    const states = await this.readModels.list();
    const lacking = states.filter(({ active }) => parked.some(({ consumer }) => consumer === active.collection));
    for (const { _id } of lacking) await this.readModels.rebuild(_id);
    let commands = 0;
    let refused = 0;
    for (const each of parked.sort((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1))) {
      if (!each.command) continue;
      commands++;
      try {
        await this.commands.issue(each.command);
        await this.parkedEvents.settle(each);
      } catch (error) {
        if (!isFinalRefusal(error)) throw error;
        refused++;
        await this.parkedEvents.refuse(each, error);
      }
    }
    const failed = parked.filter(({ key, command }) => key !== undefined && !command);
    await this.parkedEvents.ask(failed.map(({ _id }) => _id));
    return { rebuilding: lacking.map(({ _id }) => _id), commands, refused, workflows: failed.length };
  }

  @Get(':name')
  async projection(@CallerOf() { tenant }: Caller, @Param('name') name: string): Promise<ReadModelAnswer> {
    const state = (await this.holderOf(name).list()).find(({ _id }) => _id === name);
    return toAnswer(state, name, tenant);
  }

  /** Builds the documents or rows anew beside those that queries read, and lets queries read them once they are as far. */
  @Post(':name/rebuild')
  @HttpCode(202)
  async rebuild(@CallerOf() { tenant }: Caller, @Param('name') name: string): Promise<ReadModelAnswer> {
    return toAnswer(await this.holderOf(name).rebuild(name), name, tenant);
  }

  /** Lets queries read again what they read before the last switch, once it is as far as the log. */
  @Post(':name/rollback')
  @HttpCode(202)
  async rollback(@CallerOf() { tenant }: Caller, @Param('name') name: string): Promise<ReadModelAnswer> {
    try {
      return toAnswer(await this.holderOf(name).rollback(name), name, tenant);
    } catch (error) {
      if (error instanceof NoPreviousError) throw new ConflictException(error.message, { cause: error });
      throw error;
    }
  }

  private holderOf(name: string): ReadModels | TableBuilds {
    return this.tables.tables.some((table) => table.name === name) ? this.tables : this.readModels;
  }
}

/** Of the documents or rows that differ, the caller is told those of their tenant. */
function toAnswer(state: ReadModelState | undefined, name: string, tenant: string): ReadModelAnswer {
  if (!state)
    throw new NotFoundError(
      `There is no read model ${name} and no table of the warehouse; "attest projections list" names them.`,
    );
  const { _id: projection, active, building, previous, last } = state;
  const compared = last?.compared && {
    ...last.compared,
    differences: last.compared.differences.filter((difference) => difference.tenant === tenant),
  };
  return { projection, active, building, previous, last: last && { ...last, compared: compared ?? null } };
}
