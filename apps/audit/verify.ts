import type { EventStoreDb } from '../../infra/eventstore';
import { EventStoreUnavailableError, parseStreamName } from '../../packages/eventsourcing';
import {
  LogVerification,
  type PublicSealKey,
  type Seal,
  sealStream,
  type TenantVerdict,
} from '../../packages/evidence';
import { type Step, TELL_EVERY } from '../shared/progress';

/** What is verified: a stream, a tenant, or everything. */
export type VerificationScope = { readonly stream: string } | { readonly tenant: string } | 'everything';

/** What is known outside the log. */
export interface Anchors {
  readonly trusted: readonly PublicSealKey[];
  /** The newest seal of each tenant, as the sealer kept it in another store. */
  readonly kept: ReadonlyMap<string, Seal>;
}

export interface VerificationResult {
  readonly ok: boolean;
  /** A verdict can only be as good as the keys: without any, whoever rewrote the log could have sealed it anew. */
  readonly keysKnown: boolean;
  /** Of all tenants. */
  readonly events: number;
  /** Everything that was read: events, seals, and the keys of people. */
  readonly read: number;
  readonly seconds: number;
  /** Of all that was read. */
  readonly eventsPerSecond: number;
  readonly tenants: readonly TenantVerdict[];
}

/** How often a verification tries to read on before it says that it cannot. */
const TRIES = 4;

/**
 * Reads the log once and checks it, telling how far it is; the last thing it gives is the result.
 * @throws EventStoreUnavailableError when the store is away, as opposed to a log that can no longer be decoded
 */
export async function* verifyLog(
  store: EventStoreDb,
  scope: VerificationScope,
  { trusted, kept }: Anchors,
): AsyncGenerator<Step<VerificationResult>> {
  const stream = scope !== 'everything' && 'stream' in scope ? scope.stream : undefined;
  const only =
    scope === 'everything' ? undefined : 'tenant' in scope ? scope.tenant : parseStreamName(scope.stream)!.tenant;
  const optionsOf = (tenant: string) => ({ trusted, kept: kept.get(tenant), stream });
  const verification = new LogVerification(optionsOf, only === undefined ? [...kept.keys()] : [only]);
  const streamPrefixes = stream ? [stream, sealStream(only!)] : only ? [`${only}.`] : undefined;
  const belongs = (name: string): boolean => stream === undefined || name === stream || name === sealStream(only!);

  const started = performance.now();
  const head = (await store.head()) ?? 0n;
  let read = 0;
  let told = started;
  try {
    for await (const batch of store.subscribeToStored({ streamPrefixes, tries: TRIES })) {
      for (const event of batch.events) {
        if (!belongs(event.stream)) continue;
        verification.accept(event);
        read++;
      }
      if (performance.now() - told > TELL_EVERY) {
        told = performance.now();
        yield { progress: { position: batch.position.toString(), head: head.toString() } };
      }
      if (batch.caughtUp) break;
    }
  } catch (error) {
    if (!(error instanceof EventStoreUnavailableError)) throw error;
    await store.head(); // throws when the store is away
    verification.unreadable(`the log cannot be read any further: ${error.message}`);
  }
  const tenants = verification.finish();
  const seconds = (performance.now() - started) / 1_000;
  const result: VerificationResult = {
    ok: tenants.every(({ ok }) => ok),
    keysKnown: trusted.length > 0,
    events: tenants.reduce((sum, { events }) => sum + events, 0),
    read,
    seconds: Math.round(seconds * 1_000) / 1_000,
    eventsPerSecond: Math.round(read / seconds),
    tenants,
  };
  yield { result };
}
