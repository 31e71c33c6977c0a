/**
 * Weight matrices as two int8 with one scale each per output channel: w ≈ coarse · scale + fine · scale / 254. The scale is
 * max |w| / 127, and both are in -127…127, so that zero stays zero and the range is symmetric. The coarse part leaves at most half a
 * scale, which is 127 fine steps, and the fine part half a fine step: 16 bits.
 */
import { sizeOf } from '../util/shape';

const MAX_INT8 = 127;
/** Fine steps in a coarse step. */
const FINE_STEPS = 2 * MAX_INT8;
/** Adding and subtracting 1.5 · 2^52 rounds a float64 to an integer, halves to the even one. */
const ROUNDING = 1.5 * 2 ** 52;

/** Index arithmetic of one axis: a value is at (outer · channels + channel) · inner + place. */
interface Layout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * The scale of each channel.
 *
 * @param values row-major, finite
 * @param axis of the output channels
 * @returns one scale per channel; 0 if all its values are zero, or so small that float32 has no scale for them
 */
export function channelScales(values: Float32Array, shape: readonly number[], axis: number): Float32Array<ArrayBuffer> {
  const scales = new Float32Array(shape[axis]!);
  eachRun(layoutOf(shape, axis), (channel, start, end) => {
    let greatest = scales[channel]!;
    for (let index = start; index < end; index++) greatest = Math.max(greatest, Math.abs(values[index]!));
    scales[channel] = greatest;
  });
  return scales.map((greatest) => greatest / MAX_INT8);
}

/**
 * Rounds each value to the nearest multiple of its channel's scale, halves to the even one. The error is at most half a
 * scale.
 *
 * @param values row-major, finite
 * @param scales of {@link channelScales}
 * @returns the multiples, axes like `shape`
 */
export function quantize(values: Float32Array, scales: Float32Array, shape: readonly number[], axis: number): Int8Array<ArrayBuffer> {
  const rounded = new Int8Array(values.length);
  eachRun(layoutOf(shape, axis), (channel, start, end) => {
    const scale = scales[channel]!;
    if (scale === 0) return;
    for (let index = start; index < end; index++) {
      // The scale is rounded, so the quotient can exceed 127 by a little; by more if the scale has few bits.
      const quotient = Math.max(-MAX_INT8, Math.min(MAX_INT8, values[index]! / scale));
      rounded[index] = quotient + ROUNDING - ROUNDING;
    }
  });
  return rounded;
}

/**
 * The scales of {@link quantizeRest}.
 *
 * @param scales of {@link channelScales}
 */
export const fineScales = (scales: Float32Array): Float32Array<ArrayBuffer> => Float32Array.from(scales, (scale) => scale / FINE_STEPS);

/**
 * Rounds what {@link quantize} left of each value to the nearest multiple of the channel's fine scale, halves to the even one.
 *
 * @param values as for {@link quantize}
 * @param scales of {@link channelScales}
 * @param coarse of {@link quantize}
 * @returns the multiples of {@link fineScales}, axes like `shape`
 */
export function quantizeRest(
  values: Float32Array,
  scales: Float32Array,
  coarse: Int8Array,
  shape: readonly number[],
  axis: number,
): Int8Array<ArrayBuffer> {
  // Exact but for one rounding to float32, by 2^-25 of a scale at most.
  const rest = new Float32Array(values.length);
  eachRun(layoutOf(shape, axis), (channel, start, end) => {
    for (let index = start; index < end; index++) rest[index] = values[index]! - coarse[index]! * scales[channel]!;
  });
  return quantize(rest, fineScales(scales), shape, axis);
}

function layoutOf(shape: readonly number[], axis: number): Layout {
  return { outer: sizeOf(shape.slice(0, axis)), channels: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Calls `visit` for each run of consecutive values of one channel. */
function eachRun({ outer, channels, inner }: Layout, visit: (channel: number, start: number, end: number) => void): void {
  for (let run = 0; run < outer * channels; run++) visit(run % channels, run * inner, (run + 1) * inner);
}
