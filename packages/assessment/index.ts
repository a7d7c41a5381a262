export * from './assessment.commands';
export * from './assessment.decider';
export * from './assessment.events';
export * from './attempt';
export * from './attempt.decider';
export * from './attempt.events';
export * from './view';
