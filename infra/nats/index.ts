export { type ConsumerOptions, JetStreamConsumer, type StreamDefinition } from './jetstream-consumer';
