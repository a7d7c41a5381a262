import { SplitStack, type SplitStackOptions } from '../../split/split-stack';
import { NICE_READING } from './job';

/** Attest as production would have it on one machine: each service and each engine a process of its own. */
export function startProduction(options: Omit<SplitStackOptions, 'niceReading'>): Promise<SplitStack> {
  return SplitStack.start({ ...options, niceReading: NICE_READING });
}
