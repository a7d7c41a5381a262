import { mulberry32 } from '../packages/assessment/random';

/** Numbers in [0, 1), the same for the same seed on every machine. */
export function numbers(seed: number): () => number {
  const next = mulberry32(seed);
  return () => next() / 2 ** 32;
}

/** Whole numbers from 0 to below what is asked, the same for the same seed on every machine. */
export function wholeNumbers(seed: number): (below: number) => number {
  const next = mulberry32(seed);
  return (below) => next() % below;
}
