import type { JobResult } from './job';
import { timingOf } from './statistics';

const COMPLAINTS = 5;

/** Times and errors while they come in. */
export class Record {
  private readonly times: number[] = [];
  private readonly answered: [number, number][] = [];
  private readonly complaints: string[] = [];
  private errors = 0;
  private readonly begun = performance.now();

  constructor(private readonly seconds = Infinity) {}

  get goesOn(): boolean {
    return this.leftMs > 0;
  }

  /** Until its time is over. */
  get leftMs(): number {
    return Math.max(0, this.begun + this.seconds * 1000 - performance.now());
  }

  success(since: number, count = 1): void {
    const time = performance.now() - since;
    for (let i = 0; i < count; i++) this.times.push(time);
  }

  error(what: string): void {
    this.errors++;
    if (this.complaints.length < COMPLAINTS) this.complaints.push(what);
  }

  position(position: string): void {
    this.answered.push([Number(position), Date.now()]);
  }

  result(): JobResult {
    const seconds = (performance.now() - this.begun) / 1000;
    const { times, answered, complaints } = this;
    return { timing: timingOf(times, seconds, this.errors), answered, complaints };
  }
}
