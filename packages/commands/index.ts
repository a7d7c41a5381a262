export * from './command-definition';
export * from './command-input';
export * from './validate-command';
export * from './value-rules';
