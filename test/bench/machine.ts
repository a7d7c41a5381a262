/**
 * How fast this machine is. The floors of the engines are those of one machine, and what limits most figures is not the engine but its
 * official client, so a slower processor has lower floors; a faster one has the same.
 */
import { loadavg } from 'node:os';
import { ReadResp } from '@eventstore/db-client/generated/streams_pb';

/**
 * Events that one core decodes in a second on the machine of the floors, on which a client that did nothing else read 85,000 events
 * from a server.
 */
const REFERENCE = 220_000;
const EVENTS = 20_000;

export interface Machine {
  /** Share of the speed of the machine on which the floors were set, at most 1. */
  readonly speed: number;
  /** Processes that wanted a processor during the last minute: the figures are lower for each. */
  readonly load: number;
}

/** Takes less than a second. */
export function thisMachine(): Machine {
  const message = aMessage();
  decode(message); // compiles
  const fastest = Math.max(...Array.from({ length: 6 }, () => decode(message)));
  return { speed: Math.min(1, Math.round((fastest / REFERENCE) * 100) / 100), load: loadavg()[0]! };
}

/** Events per second, decoded as the official client of EventStoreDB decodes them. */
function decode(message: Uint8Array): number {
  const start = performance.now();
  for (let n = 0; n < EVENTS; n++) {
    const event = ReadResp.deserializeBinary(message).getEvent()!.getEvent()!;
    event.getMetadataMap().get('type');
    JSON.parse(Buffer.from(event.getData_asU8()).toString());
  }
  return EVENTS / ((performance.now() - start) / 1000);
}

function aMessage(): Uint8Array {
  const event = new ReadResp.ReadEvent.RecordedEvent();
  event.getMetadataMap().set('type', 'AttemptRecorded').set('content-type', 'application/json').set('created', '17');
  event.setData(Buffer.from(JSON.stringify({ learner: 'learner-000017', note: 'x'.repeat(150) })));
  event.setCustomMetadata(Buffer.from(JSON.stringify({ correlationId: '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11' })));
  const read = new ReadResp.ReadEvent();
  read.setEvent(event);
  const response = new ReadResp();
  response.setEvent(read);
  return response.serializeBinary();
}
