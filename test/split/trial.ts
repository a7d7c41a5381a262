import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import { attempts as attemptDocuments } from '../../projections/mongo/attempts';
import { people as peopleDocuments } from '../../projections/mongo/people';
import { newTenant } from '../e2e/records';
import { until } from '../e2e/until';
import { InsistentLoad } from './insistent-load';
import type { ServiceName, SplitStack } from './split-stack';
import { eventsInTheLog, idsInReadModel, positionsInTheWarehouse } from './three-stores';

/** The services that a trial needs. */
export const TRIAL_SERVICES: readonly ServiceName[] = ['people', 'enrollment', 'assessment', 'projector', 'audit'];
/** Milliseconds until every store is back and has caught up, on a busy machine. */
const PATIENCE = 120_000;
/** Whoever is hired is enrolled, and told so. */
const RULE = {
  rule: 'safety',
  audience: { everyone: true },
  courses: ['safety'],
  due: { kind: 'in-days', days: 90 },
};

/** A tenant of its own with people being hired and attempts being recorded, while something goes wrong. */
export class Trial {
  private constructor(
    private readonly stack: SplitStack,
    readonly tenant: string,
    /** Position of the tenant's first event. */
    private readonly start: string,
    readonly load: InsistentLoad,
  ) {}

  /** The load rests until `resume`. */
  static async begin(stack: SplitStack, pace: { senders: number; rest: number }): Promise<Trial> {
    const tenant = newTenant();
    const rules = await stack.as('admin', 'enrollment', tenant);
    const { position } = await rules.command('publish-assignment-rule', RULE);
    const [people, assessment] = [
      await stack.as('admin', 'people', tenant),
      await stack.as('admin', 'assessment', tenant),
    ];
    return new Trial(stack, tenant, position, new InsistentLoad({ people, assessment, ...pace }));
  }

  /** Starts the load, again after `verifyPositions`. Resolves when a command is acknowledged. */
  async resume(): Promise<void> {
    this.load.start();
    await this.goOn(1);
  }

  /** Resolves when so many more commands were acknowledged. */
  async goOn(commands: number): Promise<void> {
    const before = this.load.acknowledged;
    await until(() => this.load.acknowledged >= before + commands, PATIENCE);
  }

  /**
   * Ends the load, waits until every store has caught up, and compares: what was acknowledged is in the log once, with what follows
   * from it, every event of the log is in the warehouse once, and everything that was acknowledged is in the read models.
   */
  async verifyPositions(): Promise<void> {
    await this.settle();
    const { attempts, hires } = this.load;
    const log = await eventsInTheLog(this.stack, this.tenant, this.start);
    const of = (type: string, key: string): unknown[] =>
      log.flatMap((event) => (event.type === type ? [event.data[key]] : [])).sort();
    expect(of('AttemptRecorded', 'attempt')).toEqual([...attempts].sort());
    for (const type of ['PersonHired', 'LearnerEnrolled', 'NotificationRequested']) {
      expect(of(type, 'person')).toEqual([...hires].sort());
    }
    expect(await positionsInTheWarehouse(this.stack, this.tenant)).toEqual(log.map(({ position }) => position));
    expect(await idsInReadModel(this.stack, this.tenant, attemptDocuments)).toEqual([...attempts].sort());
    expect(await idsInReadModel(this.stack, this.tenant, peopleDocuments)).toEqual([...hires].sort());
  }

  /** After `verifyPositions`: the other stores have what the log has by content too, whichever of its events that comes from. */
  async verifyContent(): Promise<void> {
    const auditor = await this.stack.as('compliance', 'audit', this.tenant);
    const { check } = await auditor.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check).toMatchObject({ ok: true, differences: [] });
  }

  /** Ends the load and waits until every store has caught up. */
  private async settle(): Promise<void> {
    await this.load.stop();
    const audit = await this.stack.as('admin', 'audit', this.tenant);
    await until(async () => (await audit.get('/v1/status')).status === 200, PATIENCE);
    await audit.settled(PATIENCE);
  }
}
