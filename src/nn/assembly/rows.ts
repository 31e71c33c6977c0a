/** Operations on rows of channels between the matrix products. The number of channels is always a multiple of 4. */
import { multiplyAdd, rectify, VECTOR_BYTES } from './vector';

/**
 * Batch normalization and ReLU: out = max(0, scale · input + shift), channel by channel.
 *
 * @param out axes (row, channel), rows `outStride` bytes apart
 * @param input axes (row, channel), rows `inputStride` bytes apart
 */
export function scaleShiftRelu(
  out: usize,
  outStride: usize,
  input: usize,
  inputStride: usize,
  scale: usize,
  shift: usize,
  rows: i32,
  channels: i32,
): void {
  const width = <usize>channels << 2;
  for (let row: i32 = 0; row < rows; row++) {
    const o = out + <usize>row * outStride;
    const i = input + <usize>row * inputStride;
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const value = multiplyAdd(v128.load(i + byte), v128.load(scale + byte), v128.load(shift + byte));
      v128.store(o + byte, rectify(value));
    }
  }
}

/**
 * Sums over each segment's rows.
 *
 * @param out axes (segment, channel), without gaps
 * @param input axes (row, channel), rows `stride` bytes apart
 * @param length rows of a segment; the last may have fewer
 */
export function segmentSums(out: usize, input: usize, stride: usize, rows: i32, length: i32, channels: i32): void {
  const width = <usize>channels << 2;
  for (let first: i32 = 0; first < rows; first += length) {
    const end = min(first + length, rows);
    memory.fill(out, 0, width);
    for (let row = first; row < end; row++) {
      const i = input + <usize>row * stride;
      for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
        v128.store(out + byte, f32x4.add(v128.load(out + byte), v128.load(i + byte)));
      }
    }
    out += width;
  }
}

/** Sums of (input - mean)² over the rows. Axes as in {@link segmentSums}; `out` and `mean` have the axis (channel). */
export function squaredDeviations(out: usize, input: usize, stride: usize, mean: usize, rows: i32, channels: i32): void {
  const width = <usize>channels << 2;
  memory.fill(out, 0, width);
  for (let row: i32 = 0; row < rows; row++) {
    const i = input + <usize>row * stride;
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const deviation = f32x4.sub(v128.load(i + byte), v128.load(mean + byte));
      v128.store(out + byte, multiplyAdd(deviation, deviation, v128.load(out + byte)));
    }
  }
}

/**
 * Multiplies every row by its segment's gates, in place.
 *
 * @param values axes (row, channel), rows `stride` bytes apart
 * @param gates axes (segment, channel), without gaps
 * @param length rows of a segment
 */
export function gate(values: usize, stride: usize, gates: usize, rows: i32, length: i32, channels: i32): void {
  const width = <usize>channels << 2;
  for (let row: i32 = 0; row < rows; row++) {
    const v = values + <usize>row * stride;
    const g = gates + <usize>(row / length) * width;
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      v128.store(v + byte, f32x4.mul(v128.load(v + byte), v128.load(g + byte)));
    }
  }
}

/**
 * Operations of a filterbank over samples, before and after its matrix products. The number of channels is always a
 * multiple of 4.
 */

/**
 * Adds and subtracts the mirrored second half of the samples under a filter. A symmetric filter needs only the sums,
 * an antisymmetric one only the differences. The center sample, and the samples after it that fill the last vector,
 * are combined with their own mirror images.
 *
 * @param sums axes (row, place), rows `outStride` bytes apart; like `differences`
 * @param input rows of `taps` samples, `inputStride` bytes apart, which may overlap
 * @param places length of a row, a multiple of 4
 */
export function foldTaps(
  sums: usize,
  differences: usize,
  outStride: usize,
  input: usize,
  inputStride: usize,
  rows: i32,
  taps: i32,
  places: i32,
): void {
  const width = <usize>places << 2;
  const lastVector = (<usize>taps << 2) - VECTOR_BYTES;
  for (let row: i32 = 0; row < rows; row++) {
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const first = v128.load(input + byte);
      const last = v128.load(input + lastVector - byte);
      const mirrored = v128.shuffle<f32>(last, last, 3, 2, 1, 0);
      v128.store(sums + byte, f32x4.add(first, mirrored));
      v128.store(differences + byte, f32x4.sub(first, mirrored));
    }
    input += inputStride;
    sums += outStride;
    differences += outStride;
  }
}

/**
 * Maximum over groups of `size` rows.
 *
 * @param out axes (row, channel), rows `outStride` bytes apart
 * @param input axes (size · row, channel), rows `inputStride` bytes apart
 * @param magnitude whether to use absolute values
 */
export function maxPool(
  out: usize,
  outStride: usize,
  input: usize,
  inputStride: usize,
  rows: i32,
  size: i32,
  channels: i32,
  magnitude: bool,
): void {
  const width = <usize>channels << 2;
  for (let row: i32 = 0; row < rows; row++) {
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      let from = input + byte;
      let greatest = v128.load(from);
      if (magnitude) greatest = f32x4.abs(greatest);
      for (let place: i32 = 1; place < size; place++) {
        from += inputStride;
        const value = v128.load(from);
        // Unlike pmax, max returns NaN if either operand is NaN.
        greatest = f32x4.max(greatest, magnitude ? f32x4.abs(value) : value);
      }
      v128.store(out + byte, greatest);
    }
    input += <usize>size * inputStride;
    out += outStride;
  }
}

/** Subtracts `row`, axes (channel), from each row of `values`, axes (row, channel), rows `stride` bytes apart. */
export function subtractRow(values: usize, stride: usize, row: usize, rows: i32, channels: i32): void {
  const width = <usize>channels << 2;
  for (let index: i32 = 0; index < rows; index++) {
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      v128.store(values + byte, f32x4.sub(v128.load(values + byte), v128.load(row + byte)));
    }
    values += stride;
  }
}

/**
 * Normalization and leaky ReLU: y = scale · input + shift; slope · y if y is negative.
 *
 * @param out axes (row, channel), rows `outStride` bytes apart; may be `input`
 * @param input axes (row, channel), rows `inputStride` bytes apart
 * @param slope from 0 to 1
 */
export function scaleShiftLeaky(
  out: usize,
  outStride: usize,
  input: usize,
  inputStride: usize,
  scale: usize,
  shift: usize,
  rows: i32,
  channels: i32,
  slope: f32,
): void {
  const width = <usize>channels << 2;
  const factor = f32x4.splat(slope);
  for (let row: i32 = 0; row < rows; row++) {
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const value = multiplyAdd(v128.load(input + byte), v128.load(scale + byte), v128.load(shift + byte));
      v128.store(out + byte, f32x4.pmax(value, f32x4.mul(value, factor)));
    }
    input += inputStride;
    out += outStride;
  }
}

/** Leaky ReLU in place. @param length number of values, a multiple of 4 */
export function leakyRelu(values: usize, length: i32, slope: f32): void {
  const factor = f32x4.splat(slope);
  for (const end = values + (<usize>length << 2); values < end; values += VECTOR_BYTES) {
    const value = v128.load(values);
    v128.store(values, f32x4.pmax(value, f32x4.mul(value, factor)));
  }
}
