export * from './assessment.commands';
export * from './attempt.decider';
export * from './attempt.events';
