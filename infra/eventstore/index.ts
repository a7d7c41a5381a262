export { type Backlog, EventStoreDb } from './event-store-db';
