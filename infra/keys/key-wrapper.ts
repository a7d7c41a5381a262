/** A person's key as it is stored: readable only with the master key that it names. */
export interface WrappedKey {
  readonly masterKey: string;
  /** Base64url. */
  readonly wrapped: string;
}

/**
 * Who keeps the master keys: this process (`LocalMasterKeys`), or a key management service that never gives them out. `bound` is
 * authenticated with the key and must be the same again to unwrap it.
 */
export interface KeyWrapper {
  /** Id of the master key that wraps from now on. */
  readonly current: string;
  wrap(key: Uint8Array, bound: readonly string[]): Promise<WrappedKey>;
  /** @throws UnusableMasterKeyError */
  unwrap(wrapped: WrappedKey, bound: readonly string[]): Promise<Uint8Array>;
}

/** The master key is missing or another one than it was. Nothing is lost: give it back and go on. */
export class UnusableMasterKeyError extends Error {
  override name = 'UnusableMasterKeyError';
}
