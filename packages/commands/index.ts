export * from './command-definition';
export * from './command-input';
export * from './role';
export * from './validate-command';
export * from './value-rules';
