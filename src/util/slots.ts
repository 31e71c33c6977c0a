/** Lets so many pieces of work run at a time; the others wait, first come, first served. */
export class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** @param count at least 1; `Infinity` for no bound */
  constructor(count: number) {
    this.free = count;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The slot goes to whoever waits; it is free only where nobody does.
      if (next) next();
      else this.free++;
    }
  }
}
