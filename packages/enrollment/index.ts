export * from './course.decider';
export * from './enrollment.commands';
export * from './enrollment.decider';
export * from './enrollment.events';
export * from './rule.decider';
export * from './when-role-changed-then-assign.workflow';
