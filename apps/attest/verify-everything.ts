import { MongoClient } from 'mongodb';
import { EventStoreDb } from '../../infra/eventstore';
import { SealLedger } from '../../infra/mongo';
import { sealSettings } from '../../packages/config';
import { KeyRing } from '../../packages/evidence';
import { type VerificationResult, verifyLog } from '../audit/verify';
import { eventCatalog } from '../shared/event-catalog';
import type { Step } from '../shared/progress';
import { type DataFolder, UsageError } from './data-folder';

/**
 * Verifies the logs of all tenants. Needs no running Attest but its stores, and believes none.
 * @throws UsageError when neither a running stack nor the environment names the stores
 */
export async function* verifyEverything(data: DataFolder): AsyncGenerator<Step<VerificationResult>> {
  const running = data.running();
  const eventstore = process.env.ATTEST_EVENTSTORE_URL ?? running?.eventstore;
  const mongodb = process.env.ATTEST_MONGODB_URL ?? running?.mongodb;
  if (!eventstore || !mongodb) {
    throw new UsageError(
      `No Attest runs in ${data.path}: start one, or set ATTEST_EVENTSTORE_URL and ATTEST_MONGODB_URL.`,
    );
  }
  const store = new EventStoreDb(eventstore, eventCatalog);
  const mongo = new MongoClient(mongodb);
  try {
    const { trusted } = KeyRing.open(sealSettings(process.env, data.sealKeys).keys);
    const kept = await new SealLedger(mongo.db()).newest();
    yield* verifyLog(store, 'everything', { trusted, kept });
  } finally {
    store.close();
    await mongo.close();
  }
}
