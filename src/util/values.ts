import { VoxlaneError } from './errors';

/**
 * Looks up a name from outside, such as from a file. `table[name]` would also find inherited properties:
 * `constructor`, `toString`, `__proto__`.
 */
export function ownValue<T>(table: Readonly<Partial<Record<string, T>>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Rounds like Python and NumPy: halves go to the even neighbor. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Concatenates the arrays into a new array. */
export function concatenate(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

type Growable = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** A typed array that grows by appending. The capacity doubles, so the total cost of appending is linear. */
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

  /** The appended values without a copy; valid until the next {@link append}. */
  view(): Data {
    return this.data.subarray(0, this.length) as Data;
  }

  /** A copy of the appended values. */
  toArray(): Data {
    return this.data.slice(0, this.length) as Data;
  }
}

/**
 * Returns a model's output if it is plausible. Some drivers and runtimes return zeros or NaN without an error.
 *
 * @param name of the model's output
 * @param code `gpu-wrong` if it was computed on a GPU
 * @throws VoxlaneError `code` if a value is NaN or infinite, or all are zero
 */
export function healthy(values: Float32Array, name: string, code: 'gpu-wrong' | 'model-output'): Float32Array {
  const isFinite = values.every((value) => Number.isFinite(value));
  if (isFinite && values.some((value) => value !== 0)) return values;
  throw new VoxlaneError({
    code,
    problem: `The model output ${name} ${isFinite ? 'contains only zeros' : 'contains NaN or infinite values'}`,
    expected: 'finite numbers that are not all zero',
    remedy: code === 'gpu-wrong' ? 'This GPU computes wrong values. Use the backend `wasm`' : 'Export the model again',
  });
}
