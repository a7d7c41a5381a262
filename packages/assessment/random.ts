/** Gives the next number of a sequence: whole, 0 to 2^32 - 1. */
export type Random = () => number;

/**
 * mulberry32 (Tommy Ettinger, 2017): 32 bits of state, the same sequence for the same seed on every machine.
 * Storage format: recorded seeds mean the forms that this sequence gives. Another generator needs another event version.
 * @param seed whole number, 0 to 2^32 - 1
 */
export function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * The items in a random order: Fisher-Yates from the end, one number for each item but the first, scaled by multiplication.
 * Storage format, as the generator is.
 */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor((random() / 2 ** 32) * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}
