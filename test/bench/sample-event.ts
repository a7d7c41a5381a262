/** The event that is appended and read when EventStoreDB is measured. */
export const DATA = {
  learner: 'learner-000017',
  activity: 'https://example.org/activities/fire-safety',
  note: 'x'.repeat(150),
};
export const METADATA = {
  correlationId: '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11',
  causationId: 'command-17',
  actor: 'learner-000017',
};
