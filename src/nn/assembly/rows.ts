/** Operations on rows of channels between the matrix products. The number of channels is always a multiple of 4. */
import { FoldTaps, MaxPool, ScaleShiftLeaky, ScaleShiftRelu } from './parameters';
import { field, multiplyAdd, rectify, VECTOR_BYTES } from './vector';

/**
 * Batch normalization and ReLU: out = max(0, scale · input + shift), channel by channel.
 *
 * @param block see `ScaleShiftRelu` in parameters.ts
 */
export function scaleShiftRelu(block: usize): void {
  const out = field<usize>(block, ScaleShiftRelu.out);
  const outStride = field<usize>(block, ScaleShiftRelu.outStride);
  const input = field<usize>(block, ScaleShiftRelu.input);
  const inputStride = field<usize>(block, ScaleShiftRelu.inputStride);
  const scale = field<usize>(block, ScaleShiftRelu.scale);
  const shift = field<usize>(block, ScaleShiftRelu.shift);
  const rows = field<i32>(block, ScaleShiftRelu.rows);
  const channels = field<i32>(block, ScaleShiftRelu.channels);
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
 * @param block see `FoldTaps` in parameters.ts
 */
export function foldTaps(block: usize): void {
  let sums = field<usize>(block, FoldTaps.sums);
  let differences = field<usize>(block, FoldTaps.differences);
  const outStride = field<usize>(block, FoldTaps.outStride);
  let input = field<usize>(block, FoldTaps.input);
  const inputStride = field<usize>(block, FoldTaps.inputStride);
  const rows = field<i32>(block, FoldTaps.rows);
  const taps = field<i32>(block, FoldTaps.taps);
  const places = field<i32>(block, FoldTaps.places);
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
 * @param block see `MaxPool` in parameters.ts
 */
export function maxPool(block: usize): void {
  let out = field<usize>(block, MaxPool.out);
  const outStride = field<usize>(block, MaxPool.outStride);
  let input = field<usize>(block, MaxPool.input);
  const inputStride = field<usize>(block, MaxPool.inputStride);
  const rows = field<i32>(block, MaxPool.rows);
  const size = field<i32>(block, MaxPool.size);
  const channels = field<i32>(block, MaxPool.channels);
  const magnitude = field<i32>(block, MaxPool.magnitude) !== 0;
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
 * @param block see `ScaleShiftLeaky` in parameters.ts
 */
export function scaleShiftLeaky(block: usize): void {
  let out = field<usize>(block, ScaleShiftLeaky.out);
  const outStride = field<usize>(block, ScaleShiftLeaky.outStride);
  let input = field<usize>(block, ScaleShiftLeaky.input);
  const inputStride = field<usize>(block, ScaleShiftLeaky.inputStride);
  const scale = field<usize>(block, ScaleShiftLeaky.scale);
  const shift = field<usize>(block, ScaleShiftLeaky.shift);
  const rows = field<i32>(block, ScaleShiftLeaky.rows);
  const channels = field<i32>(block, ScaleShiftLeaky.channels);
  const slope = field<f32>(block, ScaleShiftLeaky.slope);
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
