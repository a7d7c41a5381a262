import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { EventStoreDb } from '../../infra/eventstore';
import type { Caller } from '../../packages/auth';
import { knownAtOf, momentOf } from '../reports/query-parameters';
import { CallerOf } from '../shared/authentication';
import { Audited } from './audit-log';
import { Reconciliation, type ReconcileAnswer } from './reconciliation';
import { replay } from './replay';
import { answerOfReplay, type ReplayAnswer, ReplayParameters, scopeOf } from './replay-answer';
import { type Reproduced, Reproduction } from './reproduction';
import { ReproductionBody } from './reproduction-body';
import { StoreCheck } from './store-check';
import { explain, type Explanation } from './why';

/** What the log itself says, for compliance. */
@Controller('v1/audit')
@Audited()
export class AuditController {
  constructor(
    private readonly store: EventStoreDb,
    private readonly stores: StoreCheck,
    private readonly reconciliation: Reconciliation,
    private readonly reproduction: Reproduction,
  ) {}

  /** The history of one thing or of the tenant, folded from the log: state, timeline, and what differs from now. */
  @Get('replay')
  async replay(@CallerOf() { tenant }: Caller, @Query() parameters: ReplayParameters): Promise<ReplayAnswer> {
    const { asOf, knownAt, check } = parameters;
    const { scope, timeline } = scopeOf(tenant, parameters);
    const moment = asOf === undefined ? new Date().toISOString() : momentOf(asOf);
    const standpoint = { effective: moment, knownAt };
    if (check === 'true') {
      const { replayed, tally } = await this.stores.check(scope, {
        timeline,
        reports: isWhole(scope),
        tellBehind: false,
      });
      return { ...answerOfReplay(scope, standpoint, replayed), check: tally.result };
    }
    const replayed = await replay(this.store, scope, moment.slice(0, 10), {
      timeline,
      effective: asOf === undefined ? undefined : moment,
      known: knownAt === undefined ? undefined : knownAtOf(knownAt),
    });
    return answerOfReplay(scope, standpoint, replayed);
  }

  /** The chain of causes of anything that has an id, and what else came of the same origin. */
  @Get('why/:id')
  why(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<Explanation> {
    return explain(this.store, tenant, id);
  }

  /** Recomputes saved reports from the log alone, and explains event by event what they would say now. */
  @Post('reproduce')
  @HttpCode(200)
  reproduce(@CallerOf() { tenant }: Caller, @Body() { reports, steps }: ReproductionBody): Promise<Reproduced[]> {
    return this.reproduction.run(tenant, reports, steps);
  }

  /** Holds everything that MongoDB and ClickHouse have of the tenant against the log. */
  @Get('reconcile')
  reconcile(@CallerOf() { tenant }: Caller): Promise<ReconcileAnswer> {
    return this.reconciliation.run({ tenant });
  }
}

function isWhole({ person, team, enrollment, attempt }: ReturnType<typeof scopeOf>['scope']): boolean {
  return !(person ?? team ?? enrollment ?? attempt);
}
