export * from './people.commands';
export * from './person.decider';
export * from './person.events';
export * from './roles';
