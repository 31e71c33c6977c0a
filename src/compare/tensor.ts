import type { ExactValues } from '../util/numberTypes';

export { shapeText, sizeOf } from '../util/shape';

/** A tensor on the CPU, row-major (C order). Its values are float32; if that rounds any, `exact` has them unrounded. */
export interface Tensor {
  /** Size of each axis; empty for a single number. */
  readonly shape: readonly number[];
  /** All values; the length is the product of the sizes. */
  readonly data: Float32Array;
  /** The same values in their own type, if float32 cannot hold all of them exactly. These are fed and measured. */
  readonly exact?: ExactValues;
  /** Type that the values were stored in: `float16`, `int64`; absent for float32 or if unknown. */
  readonly storedAs?: string;
}

/** The values of a tensor without rounding. */
export const valuesOf = ({ data, exact }: Tensor): Float32Array | ExactValues => exact ?? data;

/** Type information of a tensor, to copy to another shape of the same values. */
export const typeOf = ({ exact, storedAs }: Tensor): Pick<Tensor, 'exact' | 'storedAs'> => ({
  ...(exact && { exact }),
  ...(storedAs !== undefined && { storedAs }),
});

/** A tensor with named axes, one name per size in `shape`: `batch`, `channel`, `sample`, `frame`, `mel`, `class`. */
export interface NamedTensor extends Tensor {
  /** Name of its file or stage. */
  readonly name: string;
  /** Name of each axis. */
  readonly axes: readonly string[];
}
