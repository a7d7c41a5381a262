/** One connected client of a group, and the three ways to choose among them. */
import { createHash, randomUUID } from 'node:crypto';
import { type ResolvedEvent } from '../streams/reader';
import { viewRecord } from '../wire/record';
import { eventFrames } from '../wire/read-response';
import { type Call } from '../wire/server';
import { Latencies } from './latencies';
import { type ConnectionInfo } from './messages';
import { type StrategyName } from './settings';

export class Consumer {
  readonly id = randomUUID();
  /** Messages sent and not answered yet. */
  inFlight = 0;
  private total = 0;
  private measured = 0;
  private readonly since = Date.now();
  private readonly latencies: Latencies | undefined;

  constructor(
    readonly call: Call,
    private readonly bufferSize: number,
    private readonly structuredIds: boolean,
    extraStatistics: boolean,
  ) {
    if (extraStatistics) this.latencies = new Latencies();
  }

  get free(): boolean {
    return this.inFlight < this.bufferSize && !this.call.closed;
  }

  send(event: ResolvedEvent, retryCount: number): void {
    this.inFlight++;
    this.total++;
    this.call.send(eventFrames([event], this.structuredIds, [retryCount]));
  }

  /** A message was answered, or waited for in vain. @param sentAt milliseconds since the epoch */
  answered(sentAt: number): void {
    this.inFlight--;
    this.latencies?.add(Date.now() - sentAt);
  }

  info(): ConnectionInfo {
    const countSinceLastMeasurement = this.total - this.measured;
    this.measured = this.total;
    return {
      from: this.call.peer,
      connectionName: this.call.connectionName,
      averagePerSecond: Math.round((this.total * 1000) / Math.max(1, Date.now() - this.since)),
      totalItems: this.total,
      countSinceLastMeasurement,
      availableSlots: this.bufferSize - this.inFlight,
      inFlight: this.inFlight,
      measurements: this.latencies?.measurements() ?? [],
    };
  }
}

/** Picks the consumer of a message; undefined when the one it should go to, or every one, is busy. */
export type Strategy = (consumers: Consumer[], event: ResolvedEvent) => Consumer | undefined;

/** A strategy with its own state, for one group. */
export function createStrategy(name: StrategyName): Strategy {
  switch (name) {
    case 'RoundRobin':
      return roundRobin();
    case 'DispatchToSingle':
      return (consumers) => consumers.find((consumer) => consumer.free);
    case 'Pinned':
      return pinned;
  }
}

function roundRobin(): Strategy {
  let turn = 0;
  return (consumers) => {
    for (let i = 0; i < consumers.length; i++) {
      const consumer = consumers[(turn + i) % consumers.length]!;
      if (!consumer.free) continue;
      turn = (turn + i + 1) % consumers.length;
      return consumer;
    }
    return undefined;
  };
}

/**
 * All events of a stream go to one consumer as long as it stays. The consumer with the highest hash wins ("rendezvous
 * hashing"), so that one that comes or goes moves only its own share of the streams.
 */
const pinned: Strategy = (consumers, { event, link }) => {
  const record = event ?? link;
  const stream = record ? viewRecord(record).stream : '';
  let winner: Consumer | undefined;
  let highest = '';
  for (const consumer of consumers) {
    const hash = createHash('md5').update(stream).update(consumer.id).digest('hex');
    if (hash > highest) {
      highest = hash;
      winner = consumer;
    }
  }
  return winner?.free ? winner : undefined;
};
