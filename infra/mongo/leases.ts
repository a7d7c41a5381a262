import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type Collection, type Db, type Document as MongoDocument } from 'mongodb';
import { abortableDelay } from '../abortable-delay';
import { asked } from '../bell';
import { isRunning, thisProcess } from '../embedded/folder-lock';
import type { Log } from '../log';

/** A lease, or the sign of life of a process that may hold some (`runner:<owner>`). Storage format. */
interface LeaseDocument {
  _id: string;
  owner: string | null;
  /** Counts the owners. */
  epoch: number;
  /** By the clock of the database, which is the only one that counts. */
  expiresAt: Date;
  /** Of a runner: which process it is, for those on the same machine to see that it is gone. */
  process?: { machine: string; pid: number; started: string };
  /** Of a runner: what it has to tell the others. */
  news?: MongoDocument;
  /** Of a runner: how often it has asked the others to look, see `asked`. */
  rung?: number;
}

/** Some of the work, as long as this process may do it. */
export interface Term {
  readonly names: readonly string[];
  /** Aborts when these names are no longer what this process is to do; the work must end then. */
  readonly signal: AbortSignal;
  /** Whether the leases still run, by this process's own clock: a process that slept finds out before it writes. */
  readonly isCurrent: () => boolean;
}

export interface LeaseOptions {
  /** How long a lease runs without a sign of life, in milliseconds. */
  readonly ttl?: number;
  /** Time between signs of life, in milliseconds. */
  readonly interval?: number;
  /** What the others may know of this process. */
  readonly news?: () => MongoDocument;
}

const NEVER = new Date(0);
/** How often who holds nothing looks whether that has changed, in milliseconds. */
const LOOK = 20;
/** Looks at what the others do, for each sign of life: a sign is a write, which the database brings to its disk. */
const LOOKS = 2;

/**
 * Shares out work among processes on several machines: each name is held by one at a time, all hold about as many, and what a dead one
 * held is taken over when its leases have run out, at once if it ran on this machine.
 */
export class Leases {
  readonly owner = randomUUID();
  private readonly leases: Collection<LeaseDocument>;
  /** What is held, and until when by `performance.now()`. */
  private readonly held = new Map<string, number>();
  private readonly leaving = new Set<string>();
  private readonly terms = new Set<{ names: readonly string[]; inUse: readonly string[]; end: AbortController }>();
  private readonly ttl: number;
  /** Time between looks at what the others do, in milliseconds. */
  private readonly interval: number;
  private looks = 0;
  /** Nobody else lives, and nothing is left to take: there is nothing to look for between signs of life. */
  private isAlone = false;
  /** How often each of the others had asked to look. */
  private readonly heard = new Map<string, number>();

  constructor(
    db: Db,
    private readonly names: readonly string[],
    private readonly log: Log,
    private readonly settings: LeaseOptions = {},
  ) {
    this.leases = db.collection<LeaseDocument>('leases');
    this.ttl = settings.ttl ?? 5_000;
    this.interval = (settings.interval ?? 1_000) / LOOKS;
  }

  /** Gives signs of life and takes its share, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.beat();
      } catch (error) {
        this.log.warn({ err: error }, 'no sign of life could be given; trying again');
      }
      await abortableDelay(this.isAlone ? this.interval * LOOKS : this.interval, signal);
    }
  }

  /** Does the work again and again, each time for those of the names that are held, until the signal aborts. */
  async hold(names: readonly string[], signal: AbortSignal, work: (term: Term) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const inUse = names.filter((name) => this.held.has(name) && !this.leaving.has(name));
      if (inUse.length === 0) {
        await abortableDelay(LOOK, signal);
        continue;
      }
      const end = new AbortController();
      const term = { names, inUse, end };
      this.terms.add(term);
      try {
        await work({
          names: inUse,
          signal: AbortSignal.any([signal, end.signal]),
          isCurrent: () => inUse.every((name) => (this.held.get(name) ?? 0) > performance.now()),
        });
      } catch (error) {
        this.log.error({ err: error, names: inUse }, 'work ended; beginning again');
        await abortableDelay(this.interval, signal);
      } finally {
        this.terms.delete(term);
      }
    }
  }

  /** Gives everything back, once all work has ended. */
  async release(): Promise<void> {
    await this.leases.updateMany({ owner: this.owner }, { $set: { expiresAt: NEVER, owner: null } });
    await this.leases.deleteOne({ _id: `runner:${this.owner}` });
    this.held.clear();
  }

  /** What each living process has to tell. */
  async news(): Promise<{ owner: string; holds: readonly string[]; news: MongoDocument }[]> {
    const living = (await this.read()).filter(({ isLive }) => isLive);
    return living
      .filter(({ _id }) => _id.startsWith('runner:'))
      .map(({ owner, news = {} }) => ({
        owner: owner!,
        holds: living
          .filter((lease) => lease.owner === owner && !lease._id.startsWith('runner:'))
          .map(({ _id }) => _id),
        news,
      }));
  }

  private async beat(): Promise<void> {
    const before = performance.now();
    const isSign = this.isAlone || this.looks === 0;
    if (isSign) await this.giveSignOfLife();
    this.looks = isSign ? 1 : (this.looks + 1) % LOOKS;
    await this.giveUp([...this.leaving].filter((name) => !this.isInUse(name)));
    const all = await this.read();
    const isRunner = ({ _id }: LeaseDocument): boolean => _id.startsWith('runner:');
    this.listen(all.filter((each) => isRunner(each) && each.owner !== this.owner));
    const gone = all.filter((each) => isRunner(each) && each.isLive && hasEndedHere(each));
    for (const { owner } of gone) await this.bury(owner!);
    const expired = (each: (typeof all)[number]): boolean =>
      !each.isLive || gone.some(({ owner }) => owner === each.owner);

    const mine = all.filter((each) => each.owner === this.owner && !isRunner(each)).map(({ _id }) => _id);
    for (const name of this.held.keys()) if (!mine.includes(name)) this.drop(name);
    if (isSign) for (const name of mine) if (this.held.has(name)) this.held.set(name, before + this.ttl);

    const runners = all.filter((each) => isRunner(each) && !expired(each)).length;
    const share = Math.ceil(this.names.length / Math.max(runners, 1));
    const free = this.names.filter((name) =>
      all.every(({ _id, ...each }) => _id !== name || expired({ _id, ...each })),
    );
    const taken: string[] = [];
    for (const name of free.slice(0, Math.max(share - this.held.size, 0))) {
      if (await this.take(name)) taken.push(name);
    }
    for (const name of taken) this.held.set(name, before + this.ttl);
    this.isAlone = runners === 1 && this.held.size === this.names.length;
    const surplus = [...this.held.keys()].filter((name) => !this.leaving.has(name)).slice(share);
    for (const name of surplus) this.leaving.add(name);
    if (taken.length + surplus.length > 0) this.tell([...taken, ...surplus]);
  }

  private async giveSignOfLife(): Promise<void> {
    const expiresAt = { $add: ['$$NOW', this.ttl] };
    const news = { $literal: this.settings.news?.() ?? {} };
    const self = { owner: this.owner, process: SELF, news, rung: asked.rung, expiresAt };
    const held = { _id: { $in: [...this.held.keys()] }, owner: this.owner };
    await this.leases.bulkWrite([
      { updateOne: { filter: { _id: `runner:${this.owner}` }, update: [{ $set: self }], upsert: true } },
      { updateMany: { filter: held, update: [{ $set: { expiresAt } }] } },
    ]);
  }

  private listen(others: readonly LeaseDocument[]): void {
    const hasRung = others.filter(({ owner, rung = 0 }) => rung !== (this.heard.get(owner!) ?? 0));
    this.heard.clear();
    for (const { owner, rung = 0 } of others) this.heard.set(owner!, rung);
    if (hasRung.length > 0) asked.wake();
  }

  private read(): Promise<(LeaseDocument & { isLive: boolean })[]> {
    const stages = [{ $addFields: { isLive: { $gt: ['$expiresAt', '$$NOW'] } } }, { $sort: { _id: 1 } }];
    return this.leases.aggregate<LeaseDocument & { isLive: boolean }>(stages).toArray();
  }

  /** One of those who try gets it. */
  private async take(name: string): Promise<boolean> {
    const start = { $setOnInsert: { owner: null, epoch: 0, expiresAt: NEVER } };
    await this.leases.updateOne({ _id: name }, start, { upsert: true });
    const owner = this.owner;
    const lease = { owner, epoch: { $add: ['$epoch', 1] }, expiresAt: { $add: ['$$NOW', this.ttl] } };
    const isFree = { _id: name, $expr: { $lte: ['$expiresAt', '$$NOW'] } };
    const { modifiedCount } = await this.leases.updateOne(isFree, [{ $set: lease }]);
    return modifiedCount === 1;
  }

  private async giveUp(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.leases.updateMany(
      { _id: { $in: [...names] }, owner: this.owner },
      { $set: { owner: null, expiresAt: NEVER } },
    );
    for (const name of names) this.drop(name);
  }

  /** What a process held that has ended on this machine is free. */
  private async bury(owner: string): Promise<void> {
    await this.leases.updateMany({ owner }, { $set: { expiresAt: NEVER } });
    await this.leases.deleteOne({ _id: `runner:${owner}` });
  }

  private drop(name: string): void {
    this.held.delete(name);
    this.leaving.delete(name);
    this.tell([name]);
  }

  private isInUse(name: string): boolean {
    return [...this.terms].some(({ inUse }) => inUse.includes(name));
  }

  private tell(names: readonly string[]): void {
    for (const term of this.terms) if (names.some((name) => term.names.includes(name))) term.end.abort();
  }
}

/** Where the number of a process means something: one boot of one machine, one namespace of processes. Empty where that is not known. */
const MACHINE = ((): string => {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return ''; // not Linux: leases run out by time
  }
})();
const SELF = { machine: MACHINE, ...thisProcess() };

function hasEndedHere({ process }: LeaseDocument): boolean {
  return MACHINE !== '' && process?.machine === MACHINE && !isRunning(process);
}
