export { eraseMessages } from './erase-messages';
export {
  type ConsumerOptions,
  JetStreamConsumer,
  type Outcome,
  type Receipt,
  type StreamDefinition,
  type Treatment,
} from './jetstream-consumer';
