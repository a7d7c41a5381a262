/**
 * Reads the same once for all who ask at the same time. Whoever asks while a read is under way gets the one after it, since that one may
 * have seen too little: every answer is of a read that began after it was asked for.
 */
export class SharedRead<Value> {
  private current: Promise<Value> | undefined;
  private following: Promise<Value> | undefined;

  constructor(private readonly read: () => Promise<Value>) {}

  ask(): Promise<Value> {
    if (!this.current) return this.begin();
    this.following ??= this.current
      .then(
        () => undefined,
        () => undefined, // told to whoever asked for it
      )
      .then(() => {
        this.following = undefined;
        return this.begin();
      });
    return this.following;
  }

  private begin(): Promise<Value> {
    const reading = this.read().finally(() => {
      if (this.current === reading) this.current = undefined;
    });
    this.current = reading;
    return reading;
  }
}
