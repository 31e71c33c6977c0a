/** What is done to rows of channels between the matrix products. Channels are a multiple of 4 throughout. */
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
