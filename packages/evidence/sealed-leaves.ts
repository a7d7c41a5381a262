import { HASH_BYTES, MerkleTree } from './merkle';
import type { PublicSealKey } from './seal-key';
import { type Seal, type StoredSeal, unpackWitness } from './seal';

/** The leaves that the seals of a tenant cover, with the seals themselves: 40 bytes an event. */
export class SealedLeaves {
  readonly seals: Seal[] = [];
  private readonly hashes: Buffer[] = [];
  private positions = new BigUint64Array(1_024);
  private count = 0;

  /** Takes the next seal. */
  add({ body, signatures, witness }: StoredSeal): void {
    const leaves = unpackWitness(witness);
    this.seals.push({ body, signatures });
    this.hashes.push(Buffer.concat(leaves.map(({ leaf }) => leaf)));
    if (this.count + leaves.length > this.positions.length) {
      const larger = new BigUint64Array(2 * (this.count + leaves.length));
      larger.set(this.positions);
      this.positions = larger;
    }
    for (const { position } of leaves) this.positions[this.count++] = position;
  }

  get last(): Seal | undefined {
    return this.seals.at(-1);
  }

  /** The keys that have signed, in the order in which they took over. */
  get keys(): PublicSealKey[] {
    return this.seals.flatMap(({ body }) => body.introduces ?? []);
  }

  /** Place of an event in the tree; undefined when no seal covers it. */
  indexOf(position: bigint): number | undefined {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.positions[low] === position ? low : undefined;
  }

  /** The tree of all of them: another 64 bytes an event. */
  tree(): MerkleTree {
    const leaves = Buffer.concat(this.hashes);
    return new MerkleTree(leaves.subarray(0, this.count * HASH_BYTES));
  }
}
