import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { ApiClient } from '../e2e/api-client';
import { newTenant } from '../e2e/records';
import { until } from '../e2e/until';
import { InsistentLoad } from './insistent-load';
import type { ServiceName, SplitStack } from './split-stack';
import { eventsInTheLog, positionsInTheWarehouse } from './three-stores';

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

  /** Resolves when the first command is acknowledged. */
  static async begin(stack: SplitStack, pace: { senders: number; rest: number }): Promise<Trial> {
    const tenant = newTenant();
    const rules = await stack.as('admin', 'enrollment', tenant);
    const { position } = await rules.command('publish-assignment-rule', RULE);
    const [people, assessment] = [
      await stack.as('admin', 'people', tenant),
      await stack.as('admin', 'assessment', tenant),
    ];
    const load = new InsistentLoad({ people, assessment, ...pace });
    await until(() => load.acknowledged > 0);
    return new Trial(stack, tenant, position, load);
  }

  /** Resolves when so many more commands were acknowledged. */
  async goOn(commands: number): Promise<void> {
    const before = this.load.acknowledged;
    await until(() => this.load.acknowledged >= before + commands, PATIENCE);
  }

  /**
   * Ends the load, waits until every store has caught up, and compares: what was acknowledged is in the log once, with what follows
   * from it, and the other stores have what the log has, by position and by content.
   */
  async verify(): Promise<void> {
    await this.settle();
    await this.verifyPositions();
    const auditor = await this.stack.as('compliance', 'audit', this.tenant);
    const { check } = await auditor.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check).toMatchObject({ ok: true, differences: [] });
  }

  /** Ends the load and waits until every store has caught up. */
  async settle(): Promise<ApiClient> {
    await this.load.stop();
    const audit = await this.stack.as('admin', 'audit', this.tenant);
    await until(async () => (await audit.get('/v1/status')).status === 200, PATIENCE);
    await audit.settled(PATIENCE);
    return audit;
  }

  /** What was acknowledged is in the log once, with what follows from it, and every event of the log is in the warehouse once. */
  async verifyPositions(): Promise<void> {
    const { attempts, hires } = this.load;
    const log = await eventsInTheLog(this.stack, this.tenant, this.start);
    const of = (type: string, key: string): unknown[] =>
      log.flatMap((event) => (event.type === type ? [event.data[key]] : [])).sort();
    expect(of('AttemptRecorded', 'attempt')).toEqual([...attempts].sort());
    for (const type of ['PersonHired', 'LearnerEnrolled', 'NotificationRequested']) {
      expect(of(type, 'person')).toEqual([...hires].sort());
    }
    expect(await positionsInTheWarehouse(this.stack, this.tenant)).toEqual(log.map(({ position }) => position));
  }
}
