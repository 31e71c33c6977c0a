import { VoxlaneError } from '../util/errors';

const PAGE_BYTES = 65536;
/** Of a 32-bit memory. */
const MAX_PAGES = 65536;
/** A line of the cache, so that no vector lies across two. */
const ALIGNMENT = 64;
/** The first bytes stay free: address 0 is then never anyone's. */
const FIRST_ADDRESS = 1024;
export const FLOAT_BYTES = 4;

/** The memory of the kernels. It is handed out from below and given back from above, and never shrinks. */
export class Heap {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  private end = FIRST_ADDRESS;

  /** Bytes that the browser holds for it. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Where the next allocation begins, for {@link release}. */
  get mark(): number {
    return this.end;
  }

  /** Gives back all that was allocated since `mark` was taken. */
  release(mark: number): void {
    this.end = mark;
  }

  /**
   * Room for float32 values, all zero.
   *
   * @returns its address
   * @throws VoxlaneError `backend-failed` where there is no memory left
   */
  allocate(numFloats: number): number {
    const address = this.end;
    const end = address + Math.ceil((numFloats * FLOAT_BYTES) / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((end - this.bytes) / PAGE_BYTES);
    if (missing > 0) this.grow(missing, end);
    this.end = end;
    this.floats(address, numFloats).fill(0);
    return address;
  }

  /** Room that holds `values`. */
  store(values: ArrayLike<number>): number {
    const address = this.allocate(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** Room that holds `values` as int32. */
  storeIntegers(values: readonly number[]): number {
    const address = this.allocate(values.length);
    new Int32Array(this.memory.buffer, address, values.length).set(values);
    return address;
  }

  /** The values at `address`; the view is of no use any more after the next allocation. */
  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  private grow(pages: number, bytes: number): void {
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw new VoxlaneError(
        {
          code: 'backend-failed',
          problem: `There is no memory for the ${bytes} bytes that the network needs`,
          remedy: 'Close other tabs to free memory',
        },
        { cause },
      );
    }
  }
}
