import { randomUUID } from 'node:crypto';
import { atOnce } from '../../infra/at-once';
import type { EventStoreDb } from '../../infra/eventstore';
import { auditLogDecider } from '../../packages/audit';
import {
  type Actor,
  type CommandContext,
  type CommandPipeline,
  derivedId,
  eventId,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import {
  type BundleAbout,
  BundleWriter,
  LogAlteredError,
  parseSeal,
  SealedLeaves,
  sealedTenant,
  sealStream,
  type StoredEvent,
  TenantVerification,
} from '../../packages/evidence';
import { privacyDecider } from '../../packages/privacy';
import { NotFoundError, NotSealedError } from '../shared/problems';
import type { Step } from '../shared/progress';
import { EventTimeline } from './event-timeline';
import { evidenceReport } from './evidence-report';
import { belongsTo, membersOf, type Scope } from './scope';
import { SCOPES } from './scope-kinds';
import type { Anchors } from './verify';

/** Events that the report lists; the others are counted, and stand in the bundle. */
const LISTED = 5_000;
const BATCH = 5_000;
/** Milliseconds beyond the sealer's own time that a seal is waited for. */
const PATIENCE = 60_000;
/** Exports that are noted with their people at once. */
const AT_ONCE = 16;

export interface ExportRequest {
  readonly tenant: string;
  readonly scope: Scope;
  /** Whether personal data is given out in clear as well, where its keys exist. */
  readonly personal: boolean;
  readonly by: Actor;
  readonly correlationId: string;
}

export interface ExportResult {
  readonly export: string;
  readonly events: number;
  readonly upTo: string;
  readonly complete: boolean;
  readonly personal: boolean;
  /** SHA-256 of the manifest, hex, as the log has it. */
  readonly digest: string;
  /** Keys of the seals, in the order in which they signed. */
  readonly keys: readonly string[];
}

export type ExportStep = Step<ExportResult> | { readonly bytes: Buffer };

/** Makes an evidence bundle in one pass over the log, which ends when the seal over the export itself has come. */
export class EvidenceExport {
  private readonly id = randomUUID();
  private readonly at = new Date().toISOString();
  private readonly sealed = new SealedLeaves();
  private readonly bundle = new BundleWriter();
  private readonly timeline = new EventTimeline(LISTED);
  private readonly counts = new Map<string, number>();
  private readonly clear: { person: string; line: object }[] = [];
  private readonly seals: TenantVerification;

  /** @param sealSeconds after which the sealer seals at the latest */
  constructor(
    private readonly store: EventStoreDb,
    private readonly pipeline: CommandPipeline,
    private readonly request: ExportRequest,
    { trusted, kept }: Anchors,
    private readonly sealSeconds: number,
  ) {
    const { tenant } = request;
    // Of no stream: only the seals themselves are checked, the events by their proofs.
    this.seals = new TenantVerification(tenant, { trusted, kept: kept.get(tenant), stream: '' });
  }

  /**
   * @throws NotFoundError when nothing belongs to the scope
   * @throws LogAlteredError when the log is not what was sealed
   * @throws NotSealedError when no seal comes
   */
  async *run(): AsyncGenerator<ExportStep> {
    const { tenant, scope } = this.request;
    const head = (await this.store.head()) ?? 0n;
    const members = scope.team ? await membersOf(this.store, scope, head, () => true, fail) : [];
    const belongs = belongsTo(scope, members);
    const gaveUp = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let digest: string | undefined;
    let receipt: StoredEvent | undefined;
    const options = { streamPrefixes: this.prefixes(), maxBatch: BATCH, signal: gaveUp.signal };
    try {
      for await (const { events, position, caughtUp } of this.store.subscribeToStored(options)) {
        for (const event of events) if (event.stream === sealStream(tenant)) this.takeSeal(event);
        const history = events.filter((event) => event.position <= head && sealedTenant(event.stream) !== undefined);
        yield* this.take(history.filter(belongs));
        if (digest !== undefined) receipt ??= events.find(({ id }) => id === eventId(this.id, 0));
        else if (caughtUp || position >= head) {
          const content = await this.finishContent(head);
          yield { bytes: content.bytes };
          await this.record(content.digest, head);
          digest = content.digest;
          timer = setTimeout(() => gaveUp.abort(), this.sealSeconds * 1_000 + PATIENCE);
        }
        const doing = digest === undefined ? undefined : 'Waiting for the seal over the export';
        yield { progress: { position: position.toString(), head: head.toString(), doing } };
        if (receipt && this.sealed.indexOf(receipt.position) !== undefined) break;
      }
    } finally {
      clearTimeout(timer);
    }
    if (digest === undefined || !receipt || this.sealed.indexOf(receipt.position) === undefined) {
      throw new NotSealedError(
        'No seal came over the export: the log of the projector service, which seals, says why.',
      );
    }
    this.checkSeals();
    for (const bytes of this.bundle.proofs(this.sealed, receipt, this.complete)) yield { bytes };
    yield { result: this.result(digest, head) };
  }

  private get complete(): boolean {
    return Object.keys(this.scope).length === 0;
  }

  /** What the request is limited to, as the manifest and the log say it. */
  private get scope(): Record<string, string> {
    const { scope } = this.request;
    const named = SCOPES.flatMap((kind): [string, string][] => (scope[kind] ? [[kind, scope[kind]]] : []));
    return Object.fromEntries(scope.auditLog ? [['auditLog', 'true']] : named);
  }

  /** Where the events are, the seals, and the entry of the audit log that records the export. */
  private prefixes(): string[] {
    const { tenant, scope } = this.request;
    const { enrollment, attempt, auditLog } = scope;
    if (!enrollment && !attempt && !auditLog) return [`${tenant}.`];
    const streams = enrollment
      ? [`${tenant}.enrollment-${enrollment}`]
      : attempt
        ? [`${tenant}.attempt-${attempt}`]
        : [];
    return [...streams, sealStream(tenant), `${tenant}.${auditLogDecider.category}-`];
  }

  private takeSeal(event: StoredEvent): void {
    this.seals.accept(event);
    try {
      this.sealed.add(parseSeal(event.data));
    } catch (error) {
      throw new LogAlteredError(`The seal at position ${event.position} is none: ${(error as Error).message}.`);
    }
  }

  private async *take(events: readonly StoredEvent[]): AsyncGenerator<ExportStep> {
    const clear = this.request.personal ? await this.store.openStored(events) : new Map<StoredEvent, object>();
    for (const event of events) {
      const bytes = this.bundle.addEvent(event);
      if (bytes) yield { bytes };
      const opened = clear.get(event);
      if (opened) {
        const { person } = opened as { person: string };
        this.clear.push({ person, line: { data: opened, position: event.position.toString() } });
      }
      this.counts.set(event.type, (this.counts.get(event.type) ?? 0) + 1);
      this.timeline.add({ ...event, data: opened ?? event.data } as RecordedEvent);
    }
  }

  private async finishContent(head: bigint): Promise<{ bytes: Buffer; digest: string }> {
    const { tenant, personal, by } = this.request;
    if (this.bundle.events === 0) throw new NotFoundError('The log has nothing of this.');
    await this.noteWithPeople();
    const about: BundleAbout = {
      export: this.id,
      exportedAt: this.at,
      exportedBy: by.sub,
      tenant,
      scope: this.scope,
      complete: this.complete,
      personal,
      upTo: head.toString(),
    };
    const { timeline, counts, bundle, sealed } = this;
    const report = evidenceReport(about, {
      events: bundle.events,
      counts: [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
      timeline: timeline.list(),
      leftOut: timeline.leftOut,
      seal: sealed.last,
      keys: sealed.keys,
    });
    return bundle.content(
      about,
      report,
      this.clear.map(({ line }) => line),
    );
  }

  /** Whoever has a name in clear must delete it when the person is erased: the receipt of the erasure then names this bundle. */
  private async noteWithPeople(): Promise<void> {
    const { by } = this.request;
    const people = [...new Set(this.clear.map(({ person }) => person))];
    await atOnce(AT_ONCE, people, (person) => {
      const data = { person, export: this.id, by: by.sub };
      const command = { type: 'RecordExport', at: this.at, data } as const;
      return this.pipeline.handle(privacyDecider, command, this.context(derivedId(this.id, person)));
    });
  }

  private async record(digest: string, head: bigint): Promise<void> {
    const { personal } = this.request;
    const { events } = this.bundle;
    const day = this.at.slice(0, 10);
    const data = { day, export: this.id, scope: this.scope, personal, events, upTo: head.toString(), digest };
    await this.pipeline.handle(auditLogDecider, { type: 'RecordEvidence', at: this.at, data }, this.context(this.id));
  }

  private context(commandId: string): CommandContext {
    const { tenant, by, correlationId } = this.request;
    return { tenant, actor: by, commandId, correlationId, causationId: commandId };
  }

  private checkSeals(): void {
    const { first } = this.seals.finish();
    if (first) throw new LogAlteredError(`The seals do not hold: position ${first.position}, ${first.detail}.`);
  }

  private result(digest: string, head: bigint): ExportResult {
    const { personal } = this.request;
    const keys = this.sealed.keys.map(({ kid }) => kid);
    return {
      export: this.id,
      events: this.bundle.events,
      upTo: head.toString(),
      complete: this.complete,
      personal,
      digest,
      keys,
    };
  }
}

/** Evidence of a team that could not be told as a whole would be none. */
function fail(_projection: string, _event: RecordedEvent, error: unknown): never {
  throw error;
}
