export * from './privacy.commands';
export * from './privacy.decider';
export * from './privacy.events';
export * from './retention';
export * from './retention.commands';
export * from './retention.decider';
export * from './retention.events';
