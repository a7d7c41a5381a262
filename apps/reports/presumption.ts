/**
 * Lets work begin with what was known last while it is read whether that still holds, so that an answer takes as long as the slower of the two. Who
 * gets it sees no difference: when it does not hold, the work is done again.
 */
export class Presumption<Known> {
  /** What was read last, if what was read before it held as well: where things change all the time, work would be done twice. */
  private presumed: Known | undefined;
  private last: Known | undefined;

  /**
   * @param read what is known now
   * @param holds whether what is done with the earlier is as right for the later
   */
  constructor(
    private readonly read: () => Promise<Known>,
    private readonly holds: (earlier: Known, later: Known) => boolean,
  ) {}

  /** @returns what was known, by a read that began after this was asked for, and what came of the work */
  async answer<Answer>(work: (known: Known) => Promise<Answer>): Promise<{ known: Known; answer: Answer }> {
    const { presumed } = this;
    if (presumed === undefined) {
      const known = await this.look();
      return { known, answer: await work(known) };
    }
    const [known, answer] = await Promise.all([this.look(), work(presumed)]);
    return { known, answer: this.holds(presumed, known) ? answer : await work(known) };
  }

  private async look(): Promise<Known> {
    const known = await this.read();
    this.presumed = this.last !== undefined && this.holds(this.last, known) ? known : undefined;
    this.last = known;
    return known;
  }
}
