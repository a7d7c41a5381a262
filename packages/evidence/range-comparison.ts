import type { FindingKind } from './finding';
import type { StoredEvent, Witness } from './stored-event';

/** An event of the log on its way to the seal that covers it. */
export interface Found {
  readonly event: Pick<StoredEvent, 'stream' | 'revision'>;
  readonly print: Witness;
  /** It came behind an event with a higher position. */
  readonly late: boolean;
  /** What its stream's hash chain says against it; undefined for nothing. */
  readonly broken?: { readonly kind: FindingKind; readonly detail: string } | undefined;
}

/** One difference between what was sealed and what is there. */
export interface Deviation {
  readonly kind: FindingKind;
  readonly position: bigint;
  readonly detail: string;
  /** It was wrong before it was sealed. */
  readonly before?: boolean;
  readonly found?: Found;
  readonly sealed?: Witness;
}

/** Holds a range of the log against the witness of its seal. Linear but for the sorting. */
export function compareRange(sealed: readonly Witness[], range: readonly Found[]): Deviation[] {
  if (isAsSealed(sealed, range)) return [];
  const deviations: Deviation[] = [];
  const found = [...range].sort((a, b) => compare(a.print.position, b.print.position));
  const moved = movedContents(sealed, found);
  for (let i = 0, j = 0; i < sealed.length || j < found.length;) {
    const [witness, here] = [sealed[i], found[j]];
    if (here && (!witness || here.print.position < witness.position)) {
      deviations.push({ ...strayed(moved.has(contentOf(here.print))), position: here.print.position, found: here });
      j++;
    } else if (witness && (!here || witness.position < here.print.position)) {
      deviations.push({ ...gone(moved.has(contentOf(witness))), position: witness.position, sealed: witness });
      i++;
    } else {
      const difference = compareOne(witness!, here!, moved);
      if (difference)
        deviations.push({ ...difference, position: here!.print.position, found: here!, sealed: witness! });
      i++;
      j++;
    }
  }
  return deviations;
}

/** What nearly every range is. */
function isAsSealed(sealed: readonly Witness[], range: readonly Found[]): boolean {
  const isSame = ({ print, late, broken }: Found, { position, leaf }: Witness): boolean =>
    print.position === position && print.leaf.equals(leaf) && !late && !broken;
  return sealed.length === range.length && sealed.every((witness, i) => isSame(range[i]!, witness));
}

function compareOne(
  sealed: Witness,
  { print, late, broken }: Found,
  moved: ReadonlySet<string>,
): Pick<Deviation, 'kind' | 'detail' | 'before'> | undefined {
  if (print.leaf.equals(sealed.leaf)) {
    if (late) return { kind: 'reordered', detail: 'it comes behind events with higher positions' };
    return broken && { kind: broken.kind, detail: `${broken.detail}; it was so when it was sealed`, before: true };
  }
  const [sameData, sameMetadata] = [print.data === sealed.data, print.metadata === sealed.metadata];
  if (!sameData && !sameMetadata) {
    if (moved.has(contentOf(print)) || moved.has(contentOf(sealed))) {
      return { kind: 'reordered', detail: 'another event stands in the place of the one that was sealed' };
    }
    return { kind: 'altered-data', detail: 'data and metadata are not what was sealed' };
  }
  if (!sameData) return { kind: 'altered-data', detail: 'the data is not what was sealed' };
  if (!sameMetadata) return { kind: 'altered-metadata', detail: 'the metadata is not what was sealed' };
  return { kind: 'altered-event', detail: 'type, id, stream, revision, time or link is not what was sealed' };
}

function strayed(moved: boolean): Pick<Deviation, 'kind' | 'detail'> {
  return moved
    ? { kind: 'reordered', detail: 'it stood at another place when it was sealed' }
    : { kind: 'inserted', detail: 'nothing stood here when the range was sealed' };
}

function gone(moved: boolean): Pick<Deviation, 'kind' | 'detail'> {
  return moved
    ? { kind: 'reordered', detail: 'what was sealed here stands at another place' }
    : { kind: 'removed', detail: 'what was sealed here is gone' };
}

/** What was sealed at one place and stands at another only. */
function movedContents(sealed: readonly Witness[], found: readonly Found[]): ReadonlySet<string> {
  const placeOf = (witness: Witness): string => `${witness.position} ${contentOf(witness)}`;
  const [sealedPlaces, foundPlaces] = [new Set(sealed.map(placeOf)), new Set(found.map(({ print }) => placeOf(print)))];
  const missing = new Set(sealed.filter((each) => !foundPlaces.has(placeOf(each))).map(contentOf));
  const stray = found.filter(({ print }) => !sealedPlaces.has(placeOf(print))).map(({ print }) => contentOf(print));
  return new Set(stray.filter((content) => missing.has(content)));
}

/** What an event is, wherever it stands. Metadata holds the command's id, so no two events of a tenant have the same. */
export function contentOf({ data, metadata }: Witness): string {
  return data + metadata;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
