import type { ExactValues } from '../util/numberTypes';

/** A tensor on the CPU, row-major (C order). Its values are float32; if that rounds any, `exact` has them unrounded. */
export interface Tensor {
  /** Size of each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** All values: as many as the sizes multiply to. */
  readonly data: Float32Array;
  /** The same values in their own type, if float32 does not hold every one of them. They are what is fed and measured. */
  readonly exact?: ExactValues;
  /** Type that the values were stored in: `float16`, `int64`; absent if that is float32 or not known. */
  readonly storedAs?: string;
}

/** The values of a tensor without rounding. */
export const valuesOf = ({ data, exact }: Tensor): Float32Array | ExactValues => exact ?? data;

/** Parts of a tensor that go with its values, to be kept with another shape of the same values. */
export const typeOf = ({ exact, storedAs }: Tensor): Pick<Tensor, 'exact' | 'storedAs'> => ({
  ...(exact && { exact }),
  ...(storedAs !== undefined && { storedAs }),
});

/** A tensor whose axes have names, as many as `shape` has sizes: `batch`, `channel`, `sample`, `frame`, `mel`, `class`. */
export interface NamedTensor extends Tensor {
  /** As its file or stage is called. */
  readonly name: string;
  /** Name of each axis. */
  readonly axes: readonly string[];
}

/** How many values a tensor of this shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** `(1, 60, 589)`, as everybody writes shapes. */
export const shapeText = (shape: readonly number[]): string => `(${shape.join(', ')})`;
