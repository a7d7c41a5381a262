import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { EventStoreDb } from '../../infra/eventstore';
import type { Caller } from '../../packages/auth';
import { CommandPipeline, dayOf, derivedId, DomainError } from '../../packages/eventsourcing';
import {
  describeGrounds,
  type PrivacyCommand,
  privacyDecider,
  RETENTION_CATEGORIES,
  retentionDecider,
  type RetentionRule,
} from '../../packages/privacy';
import { type Tell, ToldReading } from '../shared/progress';
import { type Due, type DueItem, dueOf } from './due';

/** What came of a request to do something with people who are due. */
export interface DueOutcome {
  /** Of these it was done. */
  readonly people: readonly string[];
  /** Of these not: the code of the rule that refuses it, and what it says. */
  readonly leftOut: readonly { readonly person: string; readonly code: string; readonly detail: string }[];
}

/** What retention rules lead to: who is due, and an erasure of them that one asks for and another approves. Nothing is erased by a rule. */
@Injectable()
export class Retention {
  constructor(
    private readonly store: EventStoreDb,
    private readonly pipeline: CommandPipeline,
  ) {}

  async rules(tenant: string): Promise<RetentionRule[]> {
    const all = RETENTION_CATEGORIES.map((category) => this.pipeline.stateOf(retentionDecider, tenant, category));
    return (await Promise.all(all)).flatMap(({ rule }) => rule ?? []);
  }

  /** @param asOf ISO 8601 date; today when left out */
  async due(tenant: string, tell: Tell, asOf = dayOf(new Date().toISOString())): Promise<Due> {
    return dueOf(new ToldReading(this.store, tell), tenant, await this.rules(tenant), asOf);
  }

  /** Asks for the erasure of each of these who is due today, on the grounds of the rules. */
  request(caller: Caller, people: readonly string[], tell: Tell): Promise<DueOutcome> {
    return this.ofEach(caller, people, tell, ({ person, grounds: retention }) => ({
      type: 'RequestErasure',
      data: { person, reason: describeGrounds(retention), by: caller.sub, retention },
    }));
  }

  /** Approves what somebody else has asked for, where the rules still say the same. */
  approve(caller: Caller, people: readonly string[], tell: Tell): Promise<DueOutcome> {
    return this.ofEach(caller, people, tell, ({ person, grounds: retention }) => ({
      type: 'ApproveErasure',
      data: { person, by: caller.sub, retention },
    }));
  }

  private async ofEach(
    { tenant, sub, roles }: Caller,
    people: readonly string[],
    tell: Tell,
    commandFor: (item: DueItem) => Pick<PrivacyCommand, 'type' | 'data'>,
  ): Promise<DueOutcome> {
    const { items } = await this.due(tenant, tell);
    const due = new Map(items.map((item) => [item.person, item]));
    const id = randomUUID();
    const context = { tenant, actor: { sub, roles, via: 'http' }, correlationId: id, causationId: id };
    const done: string[] = [];
    const leftOut: DueOutcome['leftOut'][number][] = [];
    for (const person of new Set(people)) {
      const item = due.get(person);
      if (!item) {
        leftOut.push({ person, code: 'not-due', detail: 'No retention rule says so, or not any more.' });
        continue;
      }
      const command = { ...commandFor(item), at: new Date().toISOString() } as PrivacyCommand;
      try {
        await this.pipeline.handle(privacyDecider, command, { ...context, commandId: derivedId('due', id, person) });
        done.push(person);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        leftOut.push({ person, code: error.code, detail: error.message });
      }
    }
    return { people: done, leftOut };
  }
}
