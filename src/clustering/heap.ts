/**
 * Binary min-heap over the indices of an array of keys that change in place.
 *
 * Keys are compared by value only; the caller writes the key, then says which index changed.
 */
export class IndexedHeap {
  private readonly indices: Int32Array;
  private readonly positions: Int32Array;
  private count: number;

  /** @param keys axes (index); read again at every call */
  constructor(private readonly keys: Float64Array) {
    this.count = keys.length;
    this.indices = Int32Array.from({ length: this.count }, (_, i) => i);
    this.positions = this.indices.slice();
    for (let position = (this.count >> 1) - 1; position >= 0; position--) this.siftDown(position);
  }

  /** Index of the least key. The heap must not be empty. */
  top(): number {
    return this.indices[0]!;
  }

  removeTop(): void {
    this.swap(0, this.count - 1);
    this.count--;
    this.siftDown(0);
  }

  /** To be called after `keys[index]` was written. An index that was removed is ignored. */
  changed(index: number): void {
    const position = this.positions[index]!;
    if (position >= this.count) return;
    this.siftUp(position);
    this.siftDown(this.positions[index]!);
  }

  private keyAt(position: number): number {
    return this.keys[this.indices[position]!]!;
  }

  private siftUp(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.keyAt(parent) <= this.keyAt(position)) return;
      this.swap(parent, position);
      position = parent;
    }
  }

  private siftDown(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      let least = position;
      if (left < this.count && this.keyAt(left) < this.keyAt(least)) least = left;
      if (right < this.count && this.keyAt(right) < this.keyAt(least)) least = right;
      if (least === position) return;
      this.swap(position, least);
      position = least;
    }
  }

  private swap(a: number, b: number): void {
    const indexA = this.indices[a]!;
    const indexB = this.indices[b]!;
    this.indices[a] = indexB;
    this.indices[b] = indexA;
    this.positions[indexA] = b;
    this.positions[indexB] = a;
  }
}
