export * from './audit-log.decider';
export * from './audit-log.events';
