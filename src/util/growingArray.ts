type Growable = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A typed array that grows by appending; capacity doubles, so appending is linear over all. */
export class GrowingArray<Data extends Growable> {
  private data: Data;
  private length = 0;

  constructor(private readonly type: new (length: number) => Data) {
    this.data = new type(1024);
  }

  append(values: ArrayLike<number>): void {
    const needed = this.length + values.length;
    if (needed > this.data.length) {
      const larger = new this.type(Math.max(needed, 2 * this.data.length));
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set(values, this.length);
    this.length = needed;
  }

  /** What was appended, in place: true until the next call of {@link append}. */
  view(): Data {
    return this.data.subarray(0, this.length) as Data;
  }

  /** A copy of what was appended. */
  toArray(): Data {
    return this.data.slice(0, this.length) as Data;
  }
}
