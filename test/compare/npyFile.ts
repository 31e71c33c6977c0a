import { writeNpyFile } from '../../src/compare/files/write';

/** Overrides of header fields. */
export interface NpyOptions {
  readonly descr?: string;
  readonly fortranOrder?: boolean;
  readonly shape?: string;
  readonly version?: 1 | 2 | 3;
  /** The whole dictionary. */
  readonly header?: string;
}

/** Builds a `.npy` file of float32 values or raw bytes like NumPy. */
export function buildNpy(
  shape: readonly number[],
  values: readonly number[] | Uint8Array,
  options: NpyOptions = {},
): Uint8Array {
  const { descr = '<f4', fortranOrder = false, version = 1 } = options;
  const sizes = options.shape ?? `(${shape.map((size) => `${size},`).join(' ')})`;
  const dictionary =
    options.header ?? `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${sizes}, }`;
  const bytes = values instanceof Uint8Array ? values : new Uint8Array(Float32Array.from(values).buffer);
  return writeNpyFile(dictionary, bytes, version);
}
