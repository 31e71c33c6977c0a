/**
 * Positions of the `k` largest values, without an order. Among equal values at the limit, the choice is that of `torch.topk`
 * on CPUs, which is `std::nth_element` (or `std::partial_sort`, if `k` is small) of libstdc++: a quickselect with the median
 * of three as its pivot, and a heap if too many pivots are bad. Neither is stable, so the choice depends on each swap. The
 * cache of a speaker must contain the same frames as in the reference, and frames with equal scores are common.
 *
 * Matches `topk_impl_loop` in ATen/native/TopKImpl.h of PyTorch 2.11.
 *
 * @param values axes (position), float32; infinite values are allowed, NaN is not
 * @param k 0 to the number of values
 * @returns axes (rank), `k` positions
 */
export function topk(values: Float32Array, k: number): Int32Array {
  const queue = new Queue(values);
  if (k > 0 && k * PARTIAL_SORT_RATIO <= values.length) queue.selectByHeap(0, k, values.length);
  else if (k > 0) queue.selectNth(k - 1);
  return queue.positions.slice(0, k);
}

/** PyTorch sorts partially if the list is as many times longer than the part. */
const PARTIAL_SORT_RATIO = 64;

/** Shorter ranges are sorted by insertion. */
const SHORT_RANGE = 3;

/** Values with their positions, in the order "greater value first". */
class Queue {
  readonly positions: Int32Array;
  private readonly values: Float32Array;

  constructor(values: Float32Array) {
    this.values = values.slice();
    this.positions = Int32Array.from(values, (_, index) => index);
  }

  /** Moves the `nth + 1` largest values to the front. */
  selectNth(nth: number): void {
    let first = 0;
    let last = this.values.length;
    // The limit on bad pivots: twice the logarithm of the length.
    let pivots = 2 * (31 - Math.clz32(Math.max(1, last)));
    while (last - first > SHORT_RANGE) {
      if (pivots === 0) {
        this.selectByHeap(first, nth + 1, last);
        return;
      }
      pivots--;
      const cut = this.partition(first, last);
      if (cut <= nth) first = cut;
      else last = cut;
    }
    this.insertionSort(first, last);
  }

  /** Moves the largest values of `first` … `last` - 1 to `first` … `middle` - 1, as a heap with the least value in front. */
  selectByHeap(first: number, middle: number, last: number): void {
    const length = middle - first;
    for (let parent = Math.floor((length - 2) / 2); parent >= 0; parent--) {
      this.sink(first, parent, length, this.values[first + parent]!, this.positions[first + parent]!);
    }
    for (let at = middle; at < last; at++) {
      if (!this.isBefore(at, first)) continue;
      const value = this.values[at]!;
      const position = this.positions[at]!;
      this.copy(first, at);
      this.sink(first, 0, length, value, position);
    }
  }

  private isBefore(a: number, b: number): boolean {
    return this.values[a]! > this.values[b]!;
  }

  private copy(from: number, to: number): void {
    this.values[to] = this.values[from]!;
    this.positions[to] = this.positions[from]!;
  }

  private put(at: number, value: number, position: number): void {
    this.values[at] = value;
    this.positions[at] = position;
  }

  private swap(a: number, b: number): void {
    const value = this.values[a]!;
    const position = this.positions[a]!;
    this.copy(b, a);
    this.put(b, value, position);
  }

  /** Splits a range by the median of its second, middle and last value. @returns start of the second part */
  private partition(first: number, last: number): number {
    this.swap(first, this.medianOf(first + 1, first + ((last - first) >> 1), last - 1));
    let low = first + 1;
    let high = last;
    for (;;) {
      while (this.isBefore(low, first)) low++;
      high--;
      while (this.isBefore(first, high)) high--;
      if (low >= high) return low;
      this.swap(low, high);
      low++;
    }
  }

  private medianOf(a: number, b: number, c: number): number {
    if (this.isBefore(a, b)) {
      if (this.isBefore(b, c)) return b;
      return this.isBefore(a, c) ? c : a;
    }
    if (this.isBefore(a, c)) return a;
    return this.isBefore(b, c) ? c : b;
  }

  /** Stable. */
  private insertionSort(first: number, last: number): void {
    for (let next = first + 1; next < last; next++) {
      const value = this.values[next]!;
      const position = this.positions[next]!;
      let hole = next;
      while (hole > first && value > this.values[hole - 1]!) {
        this.copy(hole - 1, hole);
        hole--;
      }
      this.put(hole, value, position);
    }
  }

  /**
   * Fills the hole of a heap: moves it down to a leaf, always to the lesser child, and then up to the place of the value.
   *
   * @param hole from `first`
   */
  private sink(first: number, hole: number, length: number, value: number, position: number): void {
    const top = hole;
    let child = hole;
    while (child < (length - 1) >> 1) {
      child = 2 * child + 2;
      if (this.isBefore(first + child, first + child - 1)) child--;
      this.copy(first + child, first + hole);
      hole = child;
    }
    if (length % 2 === 0 && child === (length - 2) >> 1) {
      child = 2 * child + 1;
      this.copy(first + child, first + hole);
      hole = child;
    }
    while (hole > top) {
      const parent = (hole - 1) >> 1;
      if (!(this.values[first + parent]! > value)) break;
      this.copy(first + parent, first + hole);
      hole = parent;
    }
    this.put(first + hole, value, position);
  }
}
