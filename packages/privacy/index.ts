export * from './privacy.commands';
export * from './privacy.decider';
export * from './privacy.events';
