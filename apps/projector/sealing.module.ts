import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Db } from 'mongodb';
import { LOG, SETTINGS } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import { SealLedger } from '../../infra/mongo';
import type { Settings } from '../../packages/config';
import { SealKeys } from '../shared/seal-keys';
import { Sealer } from './sealer';

/** Runs the sealer for as long as the process does, where there is a key to seal with. */
@Injectable()
class Sealing implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStoreDb,
    private readonly db: Db,
    private readonly keys: SealKeys,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.keys.ring().current) {
      this.log.warn('the log is not sealed: set ATTEST_SEAL_KEY');
      return;
    }
    const options = { ...this.settings.seals, keys: () => this.keys.ring(), log: this.log };
    this.running = new Sealer(this.store, new SealLedger(this.db), options).run(this.stopping.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }
}

@Module({ providers: [Sealing, SealKeys] })
export class SealingModule {}
