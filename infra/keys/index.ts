export { type KeyWrapper, UnusableMasterKeyError, type WrappedKey } from './key-wrapper';
export { LocalMasterKeys } from './local-master-keys';
