import fc from 'fast-check';
import { EMPTY_ROOT, Frontier, leafHash, MerkleTree, verifyConsistency, verifyInclusion } from './merkle';

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((each) => each.toString('hex'));
const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => leafHash(`leaf ${i}`));
const treeOf = (leaves: readonly Buffer[]): MerkleTree => new MerkleTree(Buffer.concat(leaves));

/** The eight leaves that the tests of Certificate Transparency use (google/certificate-transparency, merkle_tree_test.cc). */
const KNOWN_LEAVES = [
  ...['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'],
].map((input) => leafHash(Buffer.from(input, 'hex')));

/** Roots of the trees of the first one to eight of them, from the same tests. */
const KNOWN_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('given the leaves that Certificate Transparency tests with', () => {
  const tree = treeOf(KNOWN_LEAVES);

  it('when there is none, then the root is that of the empty string', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(treeOf([]).root()).toEqual(EMPTY_ROOT);
  });

  it('when they are added one by one, then each root is the known one', () => {
    const frontier = Frontier.empty();
    const roots = KNOWN_LEAVES.map((leaf) => {
      frontier.append(leaf);
      return frontier.root();
    });
    expect(hex(roots)).toEqual(KNOWN_ROOTS);
    expect(hex(roots.map((_, i) => tree.root(i + 1)))).toEqual(KNOWN_ROOTS);
  });

  it.each([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  ])('when leaf %d of %d is proved, then the proof is the known one', (index, size, proof) => {
    expect(hex(tree.inclusionProof(index, size))).toEqual(proof);
    expect(verifyInclusion(KNOWN_LEAVES[index]!, index, size, tree.inclusionProof(index, size), tree.root(size))).toBe(
      true,
    );
  });

  it.each([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('when the growth from %d to %d is proved, then the proof is the known one', (from, size, proof) => {
    expect(hex(tree.consistencyProof(from, size))).toEqual(proof);
  });
});

describe('given a tree of any size', () => {
  const LARGEST = 33;
  const leaves = leavesOf(LARGEST);
  const tree = treeOf(leaves);

  it('when any leaf is proved, then the proof holds for it and for no other leaf, place or root', () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let index = 0; index < size; index++) {
        const proof = tree.inclusionProof(index, size);
        expect(verifyInclusion(leaves[index]!, index, size, proof, tree.root(size))).toBe(true);
        expect(verifyInclusion(leafHash('other'), index, size, proof, tree.root(size))).toBe(false);
        expect(verifyInclusion(leaves[index]!, index, size, proof, leafHash('other'))).toBe(false);
        if (size > 1)
          expect(verifyInclusion(leaves[index]!, (index + 1) % size, size, proof, tree.root(size))).toBe(false);
        expect(verifyInclusion(leaves[index]!, index, size, [...proof, proof[0] ?? leaves[0]!], tree.root(size))).toBe(
          false,
        );
      }
    }
  });

  it('when any growth is proved, then the proof holds, and for no other past', () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let from = 1; from <= size; from++) {
        const proof = tree.consistencyProof(from, size);
        const [first, second] = [from, size].map((each) => ({ size: each, root: tree.root(each) })) as [never, never];
        expect(verifyConsistency(first, second, proof)).toBe(true);
        expect(verifyConsistency({ size: from, root: leafHash('other') }, second, proof)).toBe(false);
        expect(verifyConsistency(first, { size, root: leafHash('other') }, proof)).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(first, second, proof.slice(1))).toBe(false);
      }
    }
  });

  it('when it grows from a frontier that was put away, then it comes to the same root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LARGEST }), (cut) => {
        const before = Frontier.empty();
        for (const leaf of leaves.slice(0, cut)) before.append(leaf);
        const after = Frontier.of(cut, before.subtrees);
        for (const leaf of leaves.slice(cut)) after.append(leaf);
        expect(after.root()).toEqual(tree.root());
        expect(before.size).toBe(cut);
      }),
    );
  });

  it('when it is asked for what it does not have, then it refuses', () => {
    expect(() => tree.inclusionProof(LARGEST)).toThrow(RangeError);
    expect(() => tree.inclusionProof(3, 3)).toThrow(RangeError);
    expect(() => tree.consistencyProof(0)).toThrow(RangeError);
    expect(() => tree.consistencyProof(5, 4)).toThrow(RangeError);
    expect(() => Frontier.of(3, [EMPTY_ROOT])).toThrow(RangeError);
    expect(verifyConsistency({ size: 0, root: EMPTY_ROOT }, { size: 3, root: tree.root(3) }, [])).toBe(false);
    expect(verifyInclusion(leaves[0]!, 1, 1, [], leaves[0]!)).toBe(false);
  });
});
