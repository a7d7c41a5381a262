import { randomUUID } from 'node:crypto';
import type { ResolvedEvent } from '@eventstore/db-client';
import { convertGrpcRecord } from '@eventstore/db-client/dist/utils/convertGrpcEvent';
import { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { toStored } from '../../infra/eventstore/stored';
import { canonicalJson, chainHash } from '../../packages/eventsourcing';
import {
  type FindingKind,
  fingerprint,
  KeyRing,
  nextSeal,
  parseSeal,
  SealKey,
  type StoredEvent,
  type StoredSeal,
} from '../../packages/evidence';

const Record = ReadResp.ReadEvent.RecordedEvent;
type Record = InstanceType<typeof Record>;

/** A record of the log's table, and what a reader of the log gets of it. */
export interface LogRecord {
  readonly key: bigint;
  readonly raw: Buffer;
  /** Undefined for what stands in nobody's streams, null for what cannot be decoded. */
  readonly event: StoredEvent | undefined | null;
}

export interface Tampering {
  readonly what: string;
  readonly records: readonly LogRecord[];
  /** The first finding must lie here, ends included, and be of one of these kinds. */
  readonly from: bigint;
  readonly to: bigint;
  readonly kinds: readonly FindingKind[];
}

/** Decodes as the official client does. */
export function recordOf(key: bigint, raw: Buffer): LogRecord {
  try {
    const event = convertGrpcRecord(Record.deserializeBinary(raw)) as unknown as ResolvedEvent['event'];
    return { key, raw, event: toStored({ event }) };
  } catch {
    return { key, raw, event: null }; // which is how the client ends a read of it
  }
}

/** Draws one of so many numbers from 0 on. */
export type Draw = (limit: number) => number;

/** A log whose every event is sealed, and what can be done to it. */
export class TamperedLog {
  private readonly seals: readonly number[];

  constructor(private readonly records: readonly LogRecord[]) {
    this.seals = [...records.keys()].filter((at) => isSeal(records[at]!.event!));
  }

  /** Undefined for a change of bytes that changes nothing for anybody who reads the log: it is to be drawn again. */
  tamper(draw: Draw): Tampering | undefined {
    const kinds = ['flip', 'flip', 'flip', 'flip', 'flip', 'drop', 'swap', 'insert', 'resign', 'truncate'] as const;
    return this[kinds[draw(kinds.length)]!](draw);
  }

  flip(draw: Draw): Tampering | undefined {
    const at = draw(this.records.length);
    const { key, raw, event } = this.records[at]!;
    const place = draw(raw.length);
    const flipped = Buffer.from(raw);
    flipped[place]! ^= 1 << draw(8);
    const record = recordOf(key, flipped);
    if (saysTheSame(event!, record.event)) return undefined;
    const what = `flip a bit of byte ${place} of the record at ${key}`;
    const records = this.records.with(at, record);
    if (record.event === null) {
      return { what, records, from: (this.records[at - 1]?.key ?? 0n) + 1n, to: key, kinds: ['unreadable'] };
    }
    if (isSeal(event!)) return { what, records, ...this.placeOfSeal(at), kinds: [...SEAL_KINDS, ...EVENT_KINDS] };
    const moved = record.event?.position ?? key;
    return { what, records, from: moved < key ? moved : key, to: key, kinds: kindsOf(event!, record.event) };
  }

  drop(draw: Draw): Tampering {
    const at = draw(this.records.length);
    const { key, event } = this.records[at]!;
    const [what, records] = [`drop the record at ${key}`, this.records.toSpliced(at, 1)];
    if (isSeal(event!)) return { what, records, ...this.placeOfSeal(at), kinds: ['seal-removed', 'tail-truncated'] };
    return { what, records, from: key, to: key, kinds: ['removed'] };
  }

  /** Two events change places, with their positions or without. */
  swap(draw: Draw): Tampering {
    const [a, b] = [this.anEvent(draw), this.anEvent(draw)].sort((one, other) => one - other) as [number, number];
    if (a === b) return this.swap(draw);
    const [first, second] = [this.records[a]!, this.records[b]!];
    const isRewritten = draw(2) === 0;
    const put = (key: bigint, { raw }: LogRecord): LogRecord => recordOf(key, isRewritten ? movedTo(key, raw) : raw);
    const records = this.records.with(a, put(first.key, second)).with(b, put(second.key, first));
    const what = `swap the records at ${first.key} and ${second.key}${isRewritten ? ', positions rewritten' : ''}`;
    // A seal knows its own range only: from another range, any other event is an altered one.
    const isAcross = this.seals.some((seal) => seal > a && seal < b);
    const kinds: readonly FindingKind[] = isAcross ? ['altered-data', 'removed', 'reordered'] : ['reordered'];
    return { what, records, from: first.key, to: first.key, kinds };
  }

  /** An event more, chained to the one before it as if the pipeline had written it, or a copy. */
  insert(draw: Draw): Tampering {
    const at = this.anEvent(draw);
    if (at + 1 === this.seals.at(-1)) return this.insert(draw); // what comes behind the last sealed event may be new
    const { key, raw, event } = this.records[at]!;
    const { data, metadata, revision, type } = event!;
    const record = Record.deserializeBinary(raw);
    const id = randomUUID();
    record.setId(record.getId()!.setString(id));
    if (draw(2) === 0) {
      const { hash, ...rest } = metadata as { hash: string };
      const link = chainHash(hash, { id, type, data: data as object, metadata: rest as never });
      record.setStreamRevision(String(revision + 1));
      record.setCustomMetadata(Buffer.from(JSON.stringify({ ...rest, hash: link })));
    }
    const place = key + 1n + BigInt(draw(raw.length - 1));
    const inserted = recordOf(place, movedTo(place, Buffer.from(record.serializeBinary())));
    const records = this.records.toSpliced(at + 1, 0, inserted);
    return { what: `insert an event at ${place}`, records, from: place, to: place, kinds: ['inserted'] };
  }

  /** Other seals with another key, one of them or all from there on; with or without an altered event that they vouch for. */
  resign(draw: Draw): Tampering {
    const from = draw(this.seals.length);
    const until = draw(2) === 0 ? from + 1 : this.seals.length;
    const keys = new KeyRing([SealKey.generate()]);
    const records = [...this.records];
    const sealAt = (n: number): StoredSeal => parseSeal(records[this.seals[n]!]!.event!.data);
    for (let n = from; n < until; n++) {
      const at = this.seals[n]!;
      const { body } = sealAt(n);
      const range = records
        .slice(n === 0 ? 0 : this.seals[n - 1]! + 1, at)
        .map((each) => fingerprint(each.event!).witness);
      const before = n === 0 ? undefined : sealAt(n - 1);
      const previous = before && from < n ? before : before && vouchedBy(before, keys);
      const { body: fresh, witness } = nextSeal(body.tenant, previous, range, keys, body.sealedAt);
      const { introduces, ...kept } = { ...fresh, previous: body.previous };
      const rebuilt = from < n ? fresh : n === 0 ? { ...kept, introduces } : kept;
      const signature = keys.current!.sign(canonicalJson(rebuilt));
      const seal = { body: rebuilt, signatures: [{ key: keys.current!.kid, signature }], witness };
      const { key, raw } = records[at]!;
      const record = Record.deserializeBinary(raw);
      record.setData(Buffer.from(JSON.stringify(seal)));
      records[at] = recordOf(key, Buffer.from(record.serializeBinary()));
    }
    const { key } = this.records[this.seals[from]!]!;
    const what = `sign ${until - from === 1 ? 'the seal' : 'all seals from that'} at ${key} on with another key`;
    return { what, records, from: key, to: key, kinds: ['seal-forged'] };
  }

  /** The end is gone, from a seal on or from anywhere behind one. */
  truncate(draw: Draw): Tampering {
    const length = this.seals[0]! + 1 + draw(this.records.length - this.seals[0]! - 1);
    const records = this.records.slice(0, length);
    const place = records.at(-1)!.key + 1n;
    const what = `truncate behind ${records.at(-1)!.key}`;
    // Where only the last seal is gone, nothing that it covers is.
    const isWhole = length === this.records.length - 1;
    const to = isWhole ? this.records.at(-1)!.key : place;
    return { what, records, from: isWhole ? records.at(-1)!.key : place, to, kinds: ['tail-truncated'] };
  }

  private anEvent(draw: Draw): number {
    const at = draw(this.records.length);
    return isSeal(this.records[at]!.event!) ? this.anEvent(draw) : at;
  }

  /** What happened to a seal shows between the last event that it covers and the next seal. */
  private placeOfSeal(at: number): { from: bigint; to: bigint } {
    const next = this.seals[this.seals.indexOf(at) + 1];
    const { upTo } = parseSeal(this.records[at]!.event!.data).body;
    return { from: BigInt(upTo), to: next === undefined ? this.records[at]!.key : this.records[next]!.key };
  }
}

const SEAL_KINDS: readonly FindingKind[] = ['seal-forged', 'seal-removed', 'tail-truncated'];
const EVENT_KINDS: readonly FindingKind[] = ['altered-event', 'removed', 'inserted', 'reordered'];

function isSeal({ stream }: StoredEvent): boolean {
  return stream.endsWith('.seals-log');
}

/** What must be said of an event of which this was altered. */
function kindsOf(event: StoredEvent, altered: StoredEvent | undefined): readonly FindingKind[] {
  if (!altered) return ['removed'];
  const others = { position: event.position, data: null, metadata: null };
  const isElsewhere =
    !saysTheSame({ ...event, ...others }, { ...altered, ...others }) || event.position !== altered.position;
  if (isElsewhere) return ['altered-data', 'altered-metadata', ...EVENT_KINDS];
  if (canonicalJson(event.data) !== canonicalJson(altered.data)) return ['altered-data'];
  const linkOf = ({ metadata }: StoredEvent): unknown => (metadata as { hash?: unknown } | null)?.hash;
  return linkOf(event) === linkOf(altered) ? ['altered-metadata'] : [...EVENT_KINDS, 'altered-metadata'];
}

/** The same for everybody who reads the log. Of a seal counts what it says: neither the id of its record nor when the store took it. */
function saysTheSame(one: StoredEvent, other: StoredEvent | undefined | null): boolean {
  const what = ({ position, id, recordedAt, ...rest }: StoredEvent): string => {
    const place = { id, position: position.toString(), recordedAt };
    return canonicalJson(isSeal(rest as StoredEvent) ? rest : { ...rest, ...place });
  };
  return Boolean(other) && what(one) === what(other!);
}

function movedTo(position: bigint, raw: Buffer): Buffer {
  const record = Record.deserializeBinary(raw);
  record.setCommitPosition(position.toString());
  record.setPreparePosition(position.toString());
  return Buffer.from(record.serializeBinary());
}

/** A seal as if this key had signed it, so that it can sign the next one. */
function vouchedBy({ body, signatures, witness }: StoredSeal, keys: KeyRing): StoredSeal {
  const { introduces: _, ...rest } = body;
  return { body: rest, signatures: [{ ...signatures[0]!, key: keys.current!.kid }], witness };
}
