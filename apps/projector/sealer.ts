import { randomUUID } from 'node:crypto';
import { abortableDelay } from '../../infra/abortable-delay';
import type { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import type { SealLedger } from '../../infra/mongo';
import type { SealSettings } from '../../packages/config';
import { parseStreamName, WrongExpectedRevisionError } from '../../packages/eventsourcing';
import {
  fingerprint,
  isSignedBy,
  type KeyRing,
  type LastSeal,
  LOG_SEALED,
  nextSeal,
  parseSeal,
  sealedTenant,
  sealedUpTo,
  sealHash,
  SealKeyError,
  sealStream,
  type StoredEvent,
  type StoredSeal,
  type Witness,
} from '../../packages/evidence';

export interface SealerOptions extends Pick<SealSettings, 'everyEvents' | 'everySeconds'> {
  readonly keys: () => KeyRing;
  readonly log: Log;
}

/** How long the sealer rests after a failure, in milliseconds, longer each time. */
const RETRY = { first: 200, longest: 10_000 };
/** How often it looks whether the time of a seal has come, in milliseconds. */
const TICK = 250;

/** A tenant's events on their way to the next seal. */
interface Open {
  readonly last: LastSeal;
  readonly leaves: Witness[];
  /** When the first of the leaves came, in milliseconds. */
  since: number;
  /** Position of the first event that is not sealed because that would vouch for what is wrong; a person has to look first. */
  readonly blockedAt?: bigint;
}

/**
 * Seals the log as it grows. Several may run: a seal is appended behind the one that it follows or not at all, and whoever was
 * slower goes on from there.
 */
export class Sealer {
  private tenants = new Map<string, Open>();
  private read = 0n;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: EventStoreDb,
    private readonly ledger: SealLedger,
    private readonly options: SealerOptions,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    for (let wait = RETRY.first; !signal.aborted; wait = Math.min(wait * 2, RETRY.longest)) {
      const failed = new AbortController();
      const ended = AbortSignal.any([signal, failed.signal]);
      try {
        this.tenants = new Map();
        this.read = await this.start();
        await Promise.all([this.follow(ended), this.watch(ended)]);
      } catch (error) {
        failed.abort();
        if (signal.aborted) return;
        this.options.log.error({ err: error, retryInMs: wait }, 'sealer stopped; trying again');
        await abortableDelay(wait, signal);
      }
    }
  }

  /** A log that ends before what was sealed is another one: then everything is looked at again. */
  private async start(): Promise<bigint> {
    const [sealed = 0n, head = 0n] = await Promise.all([this.ledger.position(), this.store.head()]);
    return sealed <= head ? sealed : 0n;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for await (const { events } of this.store.subscribeToStored({ after: this.read || undefined, signal })) {
      await this.inTurn(async () => {
        for (const event of events) await this.take(event);
        this.read = events.findLast(({ stream }) => sealedTenant(stream) !== undefined)?.position ?? this.read;
      });
    }
  }

  /** Seals what has waited long enough. */
  private async watch(signal: AbortSignal): Promise<void> {
    for (let noted = this.read; !signal.aborted; await abortableDelay(TICK, signal)) {
      await this.inTurn(async () => {
        for (const [tenant, open] of this.tenants) {
          const waited = Date.now() - open.since;
          if (open.leaves.length > 0 && waited >= this.options.everySeconds * 1_000) await this.seal(tenant, open);
        }
        const position = this.sealedTo();
        if (position > noted) await this.ledger.moveTo(position);
        noted = position;
      });
    }
  }

  /** One thing at a time. */
  private async inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work, work);
    this.turn = mine;
    await mine;
  }

  private async take(event: StoredEvent): Promise<void> {
    const tenant = sealedTenant(event.stream);
    if (tenant === undefined) return this.takeSeal(event);
    const open = await this.open(tenant, event.position);
    if (open.blockedAt !== undefined || event.position <= sealedUpTo(open.last)) return;
    const { witness, link } = fingerprint(event);
    if (link === undefined) return; // Attest did not write it: verification says so for as long as it stands there.
    if (open.leaves.length === 0) open.since = Date.now();
    open.leaves.push(witness);
    if (open.leaves.length >= this.options.everyEvents) await this.seal(tenant, open);
  }

  /** Another sealer may have been faster. */
  private takeSeal({ stream, data }: StoredEvent): void {
    const { tenant, category } = parseStreamName(stream)!;
    const open = this.tenants.get(tenant);
    if (category !== 'seals' || !open || open.blockedAt !== undefined) return;
    const { body, signatures } = parseSeal(data);
    if (body.number > (open.last?.body.number ?? -1)) this.goOn(tenant, { body, signatures }, open);
  }

  private async seal(tenant: string, open: Open): Promise<void> {
    let seal: StoredSeal;
    try {
      seal = nextSeal(tenant, open.last, open.leaves, this.options.keys(), new Date().toISOString());
    } catch (error) {
      if (!(error instanceof SealKeyError)) throw error;
      this.block(tenant, error, open.leaves[0]!.position);
      return;
    }
    const { body, signatures } = seal;
    const event = { id: randomUUID(), type: LOG_SEALED, data: seal, metadata: { tenant } };
    try {
      await this.store.append(sealStream(tenant), [event], body.number === 0 ? 'no-stream' : body.number - 1);
    } catch (error) {
      if (!(error instanceof WrongExpectedRevisionError)) throw error;
      this.goOn(tenant, await this.lastSeal(tenant), open);
      return;
    }
    this.goOn(tenant, { body, signatures }, open);
    await this.ledger.keep(seal);
  }

  private goOn(tenant: string, last: LastSeal, { leaves, since }: Open): void {
    const upTo = sealedUpTo(last);
    this.tenants.set(tenant, { last, leaves: leaves.filter(({ position }) => position > upTo), since });
  }

  private async open(tenant: string, position: bigint): Promise<Open> {
    const known = this.tenants.get(tenant);
    if (known) return known;
    try {
      this.tenants.set(tenant, { last: await this.lastSeal(tenant), leaves: [], since: 0 });
    } catch (error) {
      if (!(error instanceof SealKeyError)) throw error;
      this.block(tenant, error, position);
    }
    return this.tenants.get(tenant)!;
  }

  private block(tenant: string, error: SealKeyError, blockedAt: bigint): void {
    this.options.log.error(
      { tenant, err: error },
      'nothing more of this tenant is sealed until Attest is started again',
    );
    this.tenants.set(tenant, { last: undefined, leaves: [], since: 0, blockedAt });
  }

  /** @throws SealKeyError for a seal that cannot be believed, or that is not the newest there was: to go on would vouch for it */
  private async lastSeal(tenant: string): Promise<LastSeal> {
    const [stored, all] = await Promise.all([this.store.lastStored(sealStream(tenant)), this.ledger.newest(tenant)]);
    const [last, kept] = [stored && parseSeal(stored.data), all.get(tenant)];
    if (kept && kept.body.number > (last?.body.number ?? -1)) {
      throw new SealKeyError(`seal ${kept.body.number} of ${tenant} was there and is gone: the log was cut off`);
    }
    if (!last) return undefined;
    const { body, signatures } = last;
    const signer = this.options.keys().trusted.find(({ kid }) => kid === signatures[0]!.key);
    if (!signer || !isSignedBy(last, signer)) {
      throw new SealKeyError(`seal ${body.number} of ${tenant} is not signed with a key that is known here`);
    }
    if (kept?.body.number === body.number && sealHash(kept) !== sealHash(last)) {
      throw new SealKeyError(`seal ${body.number} of ${tenant} is not the one that was there`);
    }
    return { body, signatures };
  }

  /** Everything up to here is sealed. */
  private sealedTo(): bigint {
    const waiting = [...this.tenants.values()].map(({ leaves, blockedAt }) => blockedAt ?? leaves[0]?.position);
    const before = waiting.filter((position) => position !== undefined).map((position) => position - 1n);
    return before.reduce((least, position) => (position < least ? position : least), this.read);
  }
}
