import { EventEmitter, once } from 'node:events';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import type { Receipt } from '../../../infra/nats';
import { UsageError } from '../data-folder';
import { type HrFact, readHrFacts } from './employees-facts';
import { type ImportSummary, ImportTally } from './import-tally';

/** Facts sent whose receipt is still awaited, at most. */
const WINDOW = 500;
/** How long to wait for the next receipt, or for NATS, before giving up, in milliseconds. */
const PATIENCE = 120_000;
const SOURCE = 'https://hris.example.com/employees';

/**
 * Publishes the employees data as CloudEvents to the HRIS stream and waits for the receipt of each. Every fact has an id of its
 * own, so the import may be interrupted and repeated.
 * @param onStart gets the number of facts before the first is sent
 */
export async function importEmployees(
  nats: string,
  tenant: string,
  folder: string,
  onStart: (total: number) => void,
  onProgress: (settled: number) => void,
): Promise<ImportSummary> {
  const facts = await readHrFacts(folder);
  onStart(facts.length);
  const connection = await connect({ servers: nats, name: 'attest-import' });
  try {
    return await publishAll(connection, tenant, facts, onProgress);
  } finally {
    await connection.close();
  }
}

/** The CloudEvent of a fact. Its id follows from the fact, so that a fact sent twice is one fact. */
export function cloudEventOf({ kind, employeeNumber, effectiveOn, data }: HrFact) {
  return {
    specversion: '1.0',
    id: `${kind}-${employeeNumber}-${effectiveOn}`,
    source: SOURCE,
    type: `com.example.hris.person.${kind}`,
    subject: employeeNumber,
    time: `${effectiveOn}T00:00:00Z`,
    datacontenttype: 'application/json',
    data: { employeeNumber, effectiveOn, ...data },
  };
}

async function publishAll(
  nats: NatsConnection,
  tenant: string,
  facts: readonly HrFact[],
  onProgress: (settled: number) => void,
): Promise<ImportSummary> {
  const js = jetstream(nats, { timeout: PATIENCE });
  const tally = new ImportTally(onProgress);
  const awaited = new Map<string, HrFact>();
  const news = new EventEmitter();
  let failure: Error | undefined;

  const settle = ({ id, outcome, reason }: Receipt): void => {
    const fact = awaited.get(id);
    if (!fact) return; // of a message that was delivered again
    awaited.delete(id);
    tally.settled(fact.kind, id, outcome, reason);
    news.emit('settled');
  };
  const fail = (error: Error): void => {
    failure = error;
    news.emit('settled');
  };
  const inbox = createInbox();
  nats.subscribe(inbox, { callback: (error, message) => (error ? fail(error) : settle(message.json<Receipt>())) });

  const untilAwaited = async (atMost: number): Promise<void> => {
    while (awaited.size > atMost && !failure) {
      await once(news, 'settled', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {
        const waited = `${awaited.size} facts have no receipt after ${PATIENCE / 1000} s`;
        throw new UsageError(`${waited}: is Attest up, and does its HRIS consumer run? Repeat the import.`);
      });
    }
    if (failure) throw new UsageError(`NATS does not take the facts: ${failure.message}. Repeat the import.`);
  };
  for (const fact of facts) {
    const event = cloudEventOf(fact);
    const msgID = `${tenant}:${event.id}`;
    awaited.set(msgID, fact);
    tally.sent(fact.kind);
    const sent = headers();
    sent.set('Attest-Receipt', inbox);
    sent.set('content-type', 'application/cloudevents+json');
    js.publish(`hris.${tenant}.person.${fact.kind}`, JSON.stringify(event), { msgID, headers: sent }).then(
      ({ duplicate }) => duplicate && settle({ id: msgID, outcome: 'already-known' }),
      fail,
    );
    await untilAwaited(WINDOW);
  }
  await untilAwaited(0);
  return tally.summary();
}
