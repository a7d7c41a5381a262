import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, type StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { EventStoreDb } from '../../infra/eventstore';
import type { Caller } from '../../packages/auth';
import { knownAtOf, momentOf } from '../reports/query-parameters';
import { CallerOf } from '../shared/authentication';
import { LongAnswers } from '../shared/long-answers';
import { NotFoundError } from '../shared/problems';
import { type Tell, ToldReading } from '../shared/progress';
import { SealKeys } from '../shared/seal-keys';
import { Audited } from './audit-log';
import { Reconciliation, type ReconcileAnswer } from './reconciliation';
import { replay } from './replay';
import { answerOfReplay, type ReplayAnswer, ReplayParameters, scopeOf } from './replay-answer';
import { type Reproduced, Reproduction } from './reproduction';
import { ReproductionBody } from './reproduction-body';
import { StoreCheck } from './store-check';
import { EXPLAINED, explain, type Explanation } from './why';
import { explainSeal, type SealExplanation } from './why-seal';

/** What the log itself says, for compliance. With `Accept: application/x-ndjson` each answer is lines that tell how far it is. */
@Controller('v1/audit')
@Audited()
export class AuditController {
  constructor(
    private readonly store: EventStoreDb,
    private readonly stores: StoreCheck,
    private readonly reconciliation: Reconciliation,
    private readonly reproduction: Reproduction,
    private readonly keys: SealKeys,
    private readonly answers: LongAnswers,
  ) {}

  /** The history of one thing or of the tenant, folded from the log: state, timeline, and what differs from now. */
  @Get('replay')
  replay(
    @CallerOf() { tenant }: Caller,
    @Query() parameters: ReplayParameters,
    @Req() request: FastifyRequest,
  ): Promise<ReplayAnswer | StreamableFile> {
    return this.answers.answer(request, (tell) => this.replayed(tenant, parameters, tell));
  }

  /** The chain of causes of anything that has an id, and what else came of the same origin; of a seal, what makes it to be believed. */
  @Get('why/:id')
  why(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<Explanation | SealExplanation | StreamableFile> {
    return this.answers.answer(request, (tell) => this.explained(tenant, id, tell));
  }

  /** Recomputes saved reports from the log alone, and explains event by event what they would say now. */
  @Post('reproduce')
  @HttpCode(200)
  reproduce(
    @CallerOf() { tenant }: Caller,
    @Body() { reports, steps }: ReproductionBody,
    @Req() request: FastifyRequest,
  ): Promise<Reproduced[] | StreamableFile> {
    return this.answers.answer(request, (tell) => this.reproduction.run(tenant, reports, steps, tell));
  }

  /** Holds everything that MongoDB and ClickHouse have of the tenant against the log. */
  @Get('reconcile')
  reconcile(@CallerOf() { tenant }: Caller, @Req() request: FastifyRequest): Promise<ReconcileAnswer | StreamableFile> {
    return this.answers.answer(request, (tell) => this.reconciliation.run({ tenant }, tell));
  }

  private async explained(tenant: string, id: string, tell: Tell): Promise<Explanation | SealExplanation> {
    const explanation =
      (await explain(new ToldReading(this.store, tell), tenant, id)) ??
      (await explainSeal(this.store, tenant, id, this.keys.ring().trusted));
    if (explanation) return explanation;
    throw new NotFoundError(`There is no ${EXPLAINED.join(', ')}, seal or event ${id}.`);
  }

  private async replayed(tenant: string, parameters: ReplayParameters, tell: Tell): Promise<ReplayAnswer> {
    const { asOf, knownAt, check } = parameters;
    const { scope, timeline } = scopeOf(tenant, parameters);
    const moment = asOf === undefined ? new Date().toISOString() : momentOf(asOf);
    const standpoint = { effective: moment, knownAt };
    if (check === 'true') {
      const { replayed, tally } = await this.stores.check(scope, {
        timeline,
        reports: isWhole(scope),
        tellBehind: false,
        tell,
      });
      return { ...answerOfReplay(scope, standpoint, replayed), check: tally.result };
    }
    const replayed = await replay(new ToldReading(this.store, tell), scope, moment.slice(0, 10), {
      timeline,
      effective: asOf === undefined ? undefined : moment,
      known: knownAt === undefined ? undefined : knownAtOf(knownAt),
    });
    return answerOfReplay(scope, standpoint, replayed);
  }
}

function isWhole({ person, team, enrollment, attempt }: ReturnType<typeof scopeOf>['scope']): boolean {
  return !(person ?? team ?? enrollment ?? attempt);
}
