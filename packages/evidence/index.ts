export * from './finding';
export * from './key-ring';
export * from './log-verification';
export * from './merkle';
export * from './seal';
export * from './seal-key';
export * from './stored-event';
export * from './tenant-verification';
