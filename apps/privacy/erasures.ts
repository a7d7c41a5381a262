import type { ClickHouseClient } from '@clickhouse/client';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db } from 'mongodb';
import type { EventStoreDb } from '../../infra/eventstore';
import { eraseMessages } from '../../infra/nats';
import {
  type CommandContext,
  type CommandPipeline,
  derivedId,
  type RecordedEvent,
  streamName,
} from '../../packages/eventsourcing';
import { personDecider } from '../../packages/people';
import { type ErasureApproved, privacyDecider, type Scrubbed } from '../../packages/privacy';
import { HRIS_DEAD_LETTERS, HRIS_STREAM } from '../people/hris-consumer';
import { readHrisFact } from '../people/hris-facts';
import { type Erased, scrubReadModels } from './scrub-read-models';

/** Everything that may hold a name. */
export interface Places {
  readonly store: EventStoreDb;
  readonly pipeline: CommandPipeline;
  readonly db: Db;
  readonly clickhouse: ClickHouseClient;
  readonly nats: NatsConnection | null;
}

/** One of the erasures that are carried out together. */
interface Approved {
  readonly approval: RecordedEvent<ErasureApproved>;
  readonly tenant: string;
  readonly person: string;
  readonly number: number;
  /** The stream of the person. */
  readonly stream: string;
  /** For the receipt. */
  readonly scrubbed: Scrubbed[];
}

/**
 * Approved erasures, from the destroyed keys to the receipts. Each place is gone through once for all of them. Every step can be repeated,
 * so a crash in between costs nothing but time.
 */
export class Erasures {
  private readonly all: readonly Approved[];

  constructor(
    private readonly places: Places,
    approvals: readonly RecordedEvent<ErasureApproved>[],
  ) {
    this.all = approvals.map((approval) => {
      const { tenant } = approval.metadata;
      const { person, erasure: number } = approval.data;
      const stream = streamName(tenant, personDecider.category, person);
      return { approval, tenant, person, number, stream, scrubbed: [] };
    });
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    const erased = await this.eraseFromLog();
    await this.destroyKeys();
    await this.scrubReadModels(erased, signal);
    await this.checkWarehouse();
    await this.scrubMessages();
    for (const each of this.all) await this.complete(each);
  }

  /** @returns from which position on the read models know of each */
  private async eraseFromLog(): Promise<Erased[]> {
    const { pipeline } = this.places;
    const erased: Erased[] = [];
    for (const each of this.all) {
      const { tenant, person, number, stream } = each;
      const command = { type: 'ErasePerson', at: now(), data: { person, erasure: number } } as const;
      const { position } = await pipeline.handle(personDecider, command, contextOf(each, 'log'));
      pipeline.forget(stream);
      erased.push({ tenant, person, position });
    }
    return erased;
  }

  private async destroyKeys(): Promise<void> {
    const { store } = this.places;
    for (const { tenant, person } of this.all) await store.keys!.destroy({ tenant, person });
    await store.scavenge();
    for (const { stream, scrubbed } of this.all) {
      let readable = 0;
      for await (const { data } of store.readStream(stream)) {
        const { name = null, email = null } = data as { name?: unknown; email?: unknown };
        if (name !== null || email !== null) readable++;
      }
      const where = 'eventstore';
      scrubbed.push({ where, what: 'key destroyed; the events stay, with name and e-mail unreadable' });
      if (readable > 0) scrubbed.push({ where, what: `${readable} events from before names were encrypted keep them` });
    }
  }

  private async scrubReadModels(erased: readonly Erased[], signal: AbortSignal): Promise<void> {
    const { db } = this.places;
    const collections = await scrubReadModels(db, erased, signal);
    for (const { stream, scrubbed } of this.all) {
      const parked = await db.collection('parked').updateMany({ stream }, { $set: { reason: 'erased' } });
      const what = `name and e-mail removed from ${collections.join(', ')}; files compacted`;
      scrubbed.push({ where: 'mongodb', what });
      if (parked.matchedCount > 0) {
        scrubbed.push({
          where: 'mongodb parked',
          what: `reasons of ${parked.matchedCount} parked events removed`,
        });
      }
    }
  }

  /** Names stand there sealed; there is nothing to remove. */
  private async checkWarehouse(): Promise<void> {
    const query_params = { streams: this.all.map(({ stream }) => stream) };
    const answer = await this.places.clickhouse.query({ query: READABLE, query_params, format: 'JSONEachRow' });
    const readable = await answer.json<{ stream: string; rows: string }>();
    const rowsOf = new Map(readable.map(({ stream, rows }) => [stream, rows]));
    for (const { stream, scrubbed } of this.all) {
      const rows = rowsOf.get(stream);
      const where = 'clickhouse';
      scrubbed.push({ where, what: 'holds name and e-mail sealed, unreadable with the key destroyed' });
      if (rows) scrubbed.push({ where, what: `${rows} rows of an older version are readable: load it anew` });
    }
  }

  private async scrubMessages(): Promise<void> {
    const { nats } = this.places;
    if (!nats) return;
    for (const { name, subjects } of [HRIS_STREAM, HRIS_DEAD_LETTERS]) {
      for (const tenant of new Set(this.all.map((each) => each.tenant))) {
        const ofTenant = this.all.filter((each) => each.tenant === tenant);
        const counts = new Map(ofTenant.map(({ person }) => [person, 0]));
        const filter = subjects[0]!.replace('>', `${tenant}.person.*`);
        const count = await eraseMessages(nats, name, filter, (message) => {
          const person = personIn(message);
          const known = person === undefined ? undefined : counts.get(person);
          if (known !== undefined) counts.set(person!, known + 1);
          return known !== undefined;
        });
        if (count === undefined) continue;
        for (const { person, scrubbed } of ofTenant) {
          scrubbed.push({ where: `nats ${name}`, what: `${counts.get(person)} messages overwritten` });
        }
      }
    }
  }

  private async complete(each: Approved): Promise<void> {
    const { pipeline } = this.places;
    const { tenant, person, number, scrubbed } = each;
    const { exports } = await pipeline.stateOf(privacyDecider, tenant, person);
    const told = exports.map(({ export: id, by }) => ({
      where: `export ${id}`,
      what: `given to ${by}, who must delete it`,
    }));
    const data = { person, erasure: number, scrubbed: [...scrubbed, ...told] };
    const command = { type: 'CompleteErasure', at: now(), data } as const;
    await pipeline.handle(privacyDecider, command, contextOf(each, 'receipt'));
  }
}

function now(): string {
  return new Date().toISOString();
}

function contextOf({ approval: { id, metadata } }: Approved, step: string): CommandContext {
  return {
    tenant: metadata.tenant,
    actor: { sub: metadata.actor.sub, roles: metadata.actor.roles, via: 'workflow:eraser' },
    commandId: derivedId('eraser', id, step),
    correlationId: metadata.$correlationId,
    causationId: id,
  };
}

/** Whom a message of the HRIS is about; undefined for what is not even a fact. */
function personIn({ subject, data }: { subject: string; data: Uint8Array }): string | undefined {
  try {
    return readHrisFact(subject.replace(/^dead-letter\./, ''), data).person;
  } catch {
    return undefined; // it cannot be known whom it is about
  }
}

/** An older version landed names in clear. */
const READABLE = `
  SELECT stream, toString(count()) AS rows FROM events
  WHERE stream IN {streams:Array(String)} AND (JSONHas(data, 'name', 'given') OR JSONType(data, 'email') = 'String')
  GROUP BY stream`;
