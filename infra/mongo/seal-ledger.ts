import { type Collection, type Db, Long } from 'mongodb';
import type { Seal } from '../../packages/evidence';

interface KeptSeal {
  _id: string;
  /** As JSON, so that it comes back to the letter. */
  seal: string;
}

interface Progress {
  _id: 'sealer';
  position: Long | number;
}

/**
 * What the sealer keeps outside the log. The newest seal of every tenant: a log whose end was cut off no longer has it. And how far
 * everything is sealed, which only saves reading again.
 */
export class SealLedger {
  private readonly kept: Collection<KeptSeal>;
  private readonly progress: Collection<Progress>;

  constructor(db: Db) {
    this.kept = db.collection('kept_seals');
    this.progress = db.collection('sealer');
  }

  async keep({ body, signatures }: Seal): Promise<void> {
    const seal = JSON.stringify({ body, signatures });
    await this.kept.replaceOne({ _id: body.tenant }, { seal }, { upsert: true });
  }

  /** The newest seal of each tenant, or of one. */
  async newest(tenant?: string): Promise<Map<string, Seal>> {
    const found = await this.kept.find(tenant === undefined ? {} : { _id: tenant }).toArray();
    return new Map(found.map(({ _id, seal }) => [_id, JSON.parse(seal) as Seal]));
  }

  /** Everything up to this position is sealed; undefined when nothing is known. */
  async position(): Promise<bigint | undefined> {
    const found = await this.progress.findOne({ _id: 'sealer' });
    return found ? BigInt(found.position.toString()) : undefined;
  }

  async moveTo(position: bigint): Promise<void> {
    await this.progress.replaceOne({ _id: 'sealer' }, { position: Long.fromBigInt(position) }, { upsert: true });
  }
}
