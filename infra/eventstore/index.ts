export { EventStoreDb } from './event-store-db';
