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
import { scrubReadModels } from './scrub-read-models';

/** Everything that may hold a name. */
export interface Places {
  readonly store: EventStoreDb;
  readonly pipeline: CommandPipeline;
  readonly db: Db;
  readonly clickhouse: ClickHouseClient;
  readonly nats: NatsConnection | null;
}

/** One approved erasure, from the destroyed key to the receipt. Every step can be repeated, so a crash in between costs nothing but time. */
export class Erasure {
  private readonly tenant: string;
  private readonly person: string;
  private readonly number: number;

  constructor(
    private readonly places: Places,
    private readonly approval: RecordedEvent<ErasureApproved>,
  ) {
    this.tenant = approval.metadata.tenant;
    this.person = approval.data.person;
    this.number = approval.data.erasure;
  }

  /** @param step told before each place, for tests that end the process there */
  async carryOut(signal: AbortSignal, step: (name: string) => void = () => undefined): Promise<void> {
    step('log');
    const position = await this.eraseFromLog();
    step('keys');
    const keys = await this.destroyKey();
    step('mongodb');
    const readModels = await this.scrubReadModels(position, signal);
    step('clickhouse');
    const warehouse = await this.checkWarehouse();
    step('nats');
    const messages = await this.scrubMessages();
    step('receipt');
    await this.complete([...keys, ...readModels, ...warehouse, ...messages]);
  }

  /** @returns position from which on the read models know it */
  private async eraseFromLog(): Promise<bigint> {
    const { pipeline } = this.places;
    const data = { person: this.person, erasure: this.number };
    const erased = await pipeline.handle(
      personDecider,
      { type: 'ErasePerson', at: this.at, data },
      this.context('log'),
    );
    pipeline.forget(this.stream);
    return erased.position;
  }

  private async destroyKey(): Promise<Scrubbed[]> {
    const { store } = this.places;
    await store.keys!.destroy({ tenant: this.tenant, person: this.person });
    await store.scavenge();
    let readable = 0;
    for await (const { data } of store.readStream(this.stream)) {
      const { name = null, email = null } = data as { name?: unknown; email?: unknown };
      if (name !== null || email !== null) readable++;
    }
    return [
      { where: 'eventstore', what: 'key destroyed; the events stay, with name and e-mail unreadable' },
      ...(readable > 0
        ? [{ where: 'eventstore', what: `${readable} events from before names were encrypted keep them` }]
        : []),
    ];
  }

  private async scrubReadModels(position: bigint, signal: AbortSignal): Promise<Scrubbed[]> {
    const { db } = this.places;
    const { tenant, person } = this;
    const collections = await scrubReadModels(db, { tenant, person, position }, signal);
    const parked = await db.collection('parked').updateMany({ stream: this.stream }, { $set: { reason: 'erased' } });
    return [
      { where: 'mongodb', what: `name and e-mail removed from ${collections.join(', ')}; files compacted` },
      ...(parked.matchedCount > 0
        ? [{ where: 'mongodb parked', what: `reasons of ${parked.matchedCount} parked events removed` }]
        : []),
    ];
  }

  /** Names stand there sealed; there is nothing to remove. */
  private async checkWarehouse(): Promise<Scrubbed[]> {
    const query_params = { stream: this.stream };
    const answer = await this.places.clickhouse.query({ query: READABLE, query_params, format: 'JSONEachRow' });
    const [row] = await answer.json<{ rows: string }>();
    const isClear = row?.rows === '0';
    return [
      { where: 'clickhouse', what: 'holds name and e-mail sealed, unreadable with the key destroyed' },
      ...(isClear
        ? []
        : [{ where: 'clickhouse', what: `${row?.rows} rows of an older version are readable: load it anew` }]),
    ];
  }

  private async scrubMessages(): Promise<Scrubbed[]> {
    const { nats } = this.places;
    if (!nats) return [];
    const scrubbed: Scrubbed[] = [];
    for (const { name, subjects } of [HRIS_STREAM, HRIS_DEAD_LETTERS]) {
      const filter = subjects[0]!.replace('>', `${this.tenant}.person.*`);
      const count = await eraseMessages(nats, name, filter, (message) => this.isAboutPerson(message));
      if (count !== undefined) scrubbed.push({ where: `nats ${name}`, what: `${count} messages overwritten` });
    }
    return scrubbed;
  }

  private isAboutPerson({ subject, data }: { subject: string; data: Uint8Array }): boolean {
    try {
      return readHrisFact(subject.replace(/^dead-letter\./, ''), data).person === this.person;
    } catch {
      return false; // not even a fact; it cannot be known whom it is about
    }
  }

  private async complete(scrubbed: readonly Scrubbed[]): Promise<void> {
    const { pipeline } = this.places;
    const { exports } = await pipeline.stateOf(privacyDecider, this.tenant, this.person);
    const told = exports.map(({ export: id, by }) => ({
      where: `export ${id}`,
      what: `given to ${by}, who must delete it`,
    }));
    const data = { person: this.person, erasure: this.number, scrubbed: [...scrubbed, ...told] };
    await pipeline.handle(privacyDecider, { type: 'CompleteErasure', at: this.at, data }, this.context('receipt'));
  }

  private get stream(): string {
    return streamName(this.tenant, personDecider.category, this.person);
  }

  private get at(): string {
    return new Date().toISOString();
  }

  private context(step: string): CommandContext {
    const { id, metadata } = this.approval;
    return {
      tenant: this.tenant,
      actor: { sub: metadata.actor.sub, roles: metadata.actor.roles, via: 'workflow:eraser' },
      commandId: derivedId('eraser', id, step),
      correlationId: metadata.$correlationId,
      causationId: id,
    };
  }
}

/** An older version landed names in clear. */
const READABLE = `
  SELECT toString(count()) AS rows FROM events
  WHERE stream = {stream:String} AND (JSONHas(data, 'name', 'given') OR JSONType(data, 'email') = 'String')`;
