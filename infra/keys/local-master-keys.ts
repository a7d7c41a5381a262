import { decrypt, encrypt } from '../../packages/eventsourcing';
import type { MasterKey } from '../../packages/config';
import { type KeyWrapper, UnusableMasterKeyError, type WrappedKey } from './key-wrapper';

/** Master keys in this process, from the environment or a file of the data folder. The first one wraps, all of them unwrap. */
export class LocalMasterKeys implements KeyWrapper {
  private readonly byId: ReadonlyMap<string, Uint8Array>;
  readonly current: string;

  constructor(keys: readonly MasterKey[]) {
    this.current = keys[0]!.id;
    this.byId = new Map(keys.map(({ id, key }) => [id, key]));
  }

  wrap(key: Uint8Array, bound: readonly string[]): Promise<WrappedKey> {
    const masterKey = this.current;
    const wrapped = encrypt(this.byId.get(masterKey)!, key, [masterKey, ...bound]).toString('base64url');
    return Promise.resolve({ masterKey, wrapped });
  }

  unwrap({ masterKey, wrapped }: WrappedKey, bound: readonly string[]): Promise<Uint8Array> {
    const master = this.byId.get(masterKey);
    const key = master && decrypt(master, Buffer.from(wrapped, 'base64url'), [masterKey, ...bound]);
    if (key) return Promise.resolve(key);
    const why = master ? 'is another one than it was' : 'is missing';
    return Promise.reject(
      new UnusableMasterKeyError(`The master key "${masterKey}" ${why}: put it back into ATTEST_MASTER_KEY.`),
    );
  }
}
