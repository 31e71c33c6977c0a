import { sizeOf } from '../tensor';

/**
 * Values in Fortran order (the first axis runs fastest) in C order (the last one does), for any number of axes.
 *
 * @param bytes `sizeOf(shape)` values
 * @returns the same array where both orders are one: at most one axis is longer than 1
 */
export function fortranToRowMajor(bytes: Uint8Array, shape: readonly number[], bytesPerElement: number): Uint8Array {
  if (shape.filter((size) => size !== 1).length < 2) return bytes;
  const rowMajor = new Uint8Array(bytes.length);
  /** Elements from one index of each axis to the next, in Fortran order. */
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < rowMajor.length; to += bytesPerElement) {
    for (let byte = 0; byte < bytesPerElement; byte++) rowMajor[to + byte] = bytes[from * bytesPerElement + byte]!;
    // On to the next element of C order: the last axis counts up, and carries into those before it.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return rowMajor;
}
