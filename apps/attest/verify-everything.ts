import { hostname, userInfo } from 'node:os';
import { MongoClient } from 'mongodb';
import { EventStoreDb } from '../../infra/eventstore';
import { SealLedger } from '../../infra/mongo';
import { sealSettings } from '../../packages/config';
import { type Actor, CommandPipeline } from '../../packages/eventsourcing';
import { KeyRing } from '../../packages/evidence';
import { recordConsultation } from '../audit/consultation';
import { type VerificationResult, verifyLog } from '../audit/verify';
import { eventCatalog } from '../shared/event-catalog';
import type { Step } from '../shared/progress';
import { type DataFolder, UsageError } from './data-folder';

/**
 * Verifies the logs of all tenants. Needs no running Attest but its stores, and believes none. Who did it is recorded in the log of each
 * tenant, as every other look at the audit is, before the result is given.
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
    const pipeline = new CommandPipeline(store, eventCatalog);
    const asked = { actor: operator(), request: 'attest audit verify', parameters: { everything: 'true' } };
    for await (const step of verifyLog(store, 'everything', { trusted, kept })) {
      for (const { tenant } of 'result' in step ? step.result.tenants : []) {
        await recordConsultation(pipeline, { tenant, ...asked });
      }
      yield step;
    }
  } finally {
    store.close();
    await mongo.close();
  }
}

/** Whoever has the stores needs no token, so it is the account on the machine that is recorded. */
function operator(): Actor {
  return { sub: `${accountName()}@${hostname()}`, roles: [], via: 'cli' };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`; // An account without a name, as containers may have.
  }
}
