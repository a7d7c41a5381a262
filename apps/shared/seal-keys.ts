import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../infra/engines.module';
import type { Settings } from '../../packages/config';
import { KeyRing } from '../../packages/evidence';

/** The keys of seals that this process holds or believes. */
@Injectable()
export class SealKeys {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.ring(); // A key that cannot be used is told at the start.
  }

  /** As they are now: a key file may have got a new key. @throws SealKeyError */
  ring(): KeyRing {
    return KeyRing.open(this.settings.seals.keys);
  }
}
