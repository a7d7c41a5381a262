import { canonicalJson } from '../eventsourcing';
import { type MerkleTree, sha256 } from './merkle';
import type { SealedLeaves } from './sealed-leaves';
import { fingerprint, type StoredEvent } from './stored-event';
import { TAR_END, tarEntry } from './tar';

/** This file writes a wire format, see docs/evidence-bundle.md. */
export const BUNDLE_FORMAT = 'attest-evidence/1';

/** Lines of one entry; what is larger goes on in the next. */
const LINES = 5_000;

/** A file within the bundle as the manifest names it. */
export interface BundleEntry {
  readonly name: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** What is in a bundle, and who made it for what. Its SHA-256 is recorded in the log, and thereby sealed. */
export interface BundleManifest {
  readonly format: typeof BUNDLE_FORMAT;
  /** Id of the export; the event that records it has it too. */
  readonly export: string;
  readonly exportedAt: string;
  readonly exportedBy: string;
  readonly tenant: string;
  /** What it is of, for example `{"person": "..."}`; nothing for the tenant. */
  readonly scope: Readonly<Record<string, string>>;
  /** Whether it holds every event of the tenant from the first to its last. */
  readonly complete: boolean;
  /** Whether personal data stands in it in clear as well. */
  readonly personal: boolean;
  readonly events: number;
  /** Position up to which the log was read. */
  readonly upTo: string;
  readonly entries: readonly BundleEntry[];
}

/** The log is not what was sealed, so that nothing can be proved with it. */
export class LogAlteredError extends Error {
  override name = 'LogAlteredError';
}

interface Exported {
  readonly position: bigint;
  readonly leaf: Buffer;
}

/** What stands in the manifest beside what the writer counts itself. */
export type BundleAbout = Omit<BundleManifest, 'format' | 'entries' | 'events'>;

/**
 * Writes a bundle, entry by entry: first what the log says, then the manifest, and when that is recorded and sealed, the proofs. Holds
 * one entry, and 40 bytes for each event.
 */
export class BundleWriter {
  private readonly entries: BundleEntry[] = [];
  private readonly exported: Exported[] = [];
  private readonly lines = new Lines('events');

  get events(): number {
    return this.exported.length;
  }

  /**
   * @returns bytes of the bundle, when there are so many that they make an entry
   * @throws LogAlteredError for an event that Attest did not write
   */
  addEvent(event: StoredEvent): Buffer | undefined {
    const { witness, link } = fingerprint(event);
    const { leaf, position } = witness;
    if (link === undefined) {
      throw new LogAlteredError(`What stands at position ${position}, in ${event.stream}, was not written by Attest.`);
    }
    this.exported.push({ position, leaf });
    const entry = this.lines.add(plain(event));
    return entry && this.listed(entry);
  }

  /** Everything up to the manifest, whose digest must be recorded in the log before the bundle goes on. */
  content(about: BundleAbout, report: string, personal: readonly object[]): { bytes: Buffer; digest: string } {
    const parts: Buffer[] = [];
    const rest = this.lines.rest();
    if (rest) parts.push(this.listed(rest));
    if (about.personal) parts.push(this.listed({ name: 'personal.ndjson', text: linesOf(personal) }));
    parts.push(this.listed({ name: 'report.html', text: report }));
    const { events, entries } = this;
    const manifest: BundleManifest = { ...about, format: BUNDLE_FORMAT, events, entries };
    const text = line(manifest);
    parts.push(entryOf({ name: 'manifest.json', text }));
    return { bytes: Buffer.concat(parts), digest: sha256(text).toString('hex') };
  }

  /**
   * The rest: keys, seals and proofs.
   * @param receipt the event that records the manifest; the last seal covers it
   * @throws LogAlteredError when an event is not what was sealed
   */
  *proofs(sealed: SealedLeaves, receipt: StoredEvent, complete: boolean): Generator<Buffer> {
    const tree = sealed.tree();
    const { seals, keys } = sealed;
    yield entryOf({ name: 'keys.json', text: line({ keys }) });
    yield entryOf({ name: 'seals.ndjson', text: linesOf(seals) });
    const hashes = new Lines('hashes');
    for (const [at, { position, leaf }] of this.exported.entries()) {
      const index = placeOf(sealed, tree, position, leaf);
      if (complete && index !== at) throw new LogAlteredError(`Events before position ${position} are gone.`);
      const hash = { index, leaf: leaf.toString('hex'), position: position.toString() };
      const entry = hashes.add(complete ? hash : { ...hash, proof: hex(tree.inclusionProof(index)) });
      if (entry) yield entryOf(entry);
    }
    const rest = hashes.rest();
    if (rest) yield entryOf(rest);
    const sizes = seals.map(({ body }) => body.size);
    const steps = sizes.slice(1).map((to, at): [number, number] => [sizes[at]!, to]);
    if (complete) steps.push([this.events, tree.size]);
    const growth = steps.map(([from, to]) => ({ from, to, proof: hex(tree.consistencyProof(from, to)) }));
    yield entryOf({ name: 'consistency.ndjson', text: linesOf(growth) });
    const index = placeOf(sealed, tree, receipt.position, fingerprint(receipt).witness.leaf);
    const proof = hex(tree.inclusionProof(index));
    yield entryOf({ name: 'receipt.json', text: line({ event: plain(receipt), index, proof }) });
    yield TAR_END;
  }

  private listed(entry: Entry): Buffer {
    const { name, text } = entry;
    this.entries.push({ name, size: Buffer.byteLength(text), sha256: sha256(text).toString('hex') });
    return entryOf(entry);
  }
}

interface Entry {
  readonly name: string;
  readonly text: string;
}

function entryOf({ name, text }: Entry): Buffer {
  return tarEntry(name, Buffer.from(text));
}

/** Gathers lines to entries `<folder>/000001.ndjson` and so on. */
class Lines {
  private gathered: string[] = [];
  private entries = 0;

  constructor(private readonly folder: string) {}

  /** @returns the entry that the line completes */
  add(value: object): Entry | undefined {
    this.gathered.push(line(value));
    return this.gathered.length < LINES ? undefined : this.rest();
  }

  rest(): Entry | undefined {
    if (this.gathered.length === 0) return undefined;
    const text = this.gathered.join('');
    this.gathered = [];
    return { name: `${this.folder}/${String(++this.entries).padStart(6, '0')}.ndjson`, text };
  }
}

/** @throws LogAlteredError unless the event is the one that was sealed at its position */
function placeOf(sealed: SealedLeaves, tree: MerkleTree, position: bigint, leaf: Buffer): number {
  const index = sealed.indexOf(position);
  if (index === undefined) throw new LogAlteredError(`Nothing was sealed at position ${position}.`);
  if (!tree.leaf(index).equals(leaf))
    throw new LogAlteredError(`The event at position ${position} is not what was sealed.`);
  return index;
}

function plain(event: StoredEvent): object {
  return { ...event, position: event.position.toString() };
}

function line(value: object): string {
  return `${canonicalJson(value)}\n`;
}

function linesOf(values: readonly object[]): string {
  return values.map(line).join('');
}

function hex(hashes: readonly Buffer[]): string[] {
  return hashes.map((each) => each.toString('hex'));
}
