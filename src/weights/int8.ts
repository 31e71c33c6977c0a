/**
 * Weight matrices as int8 with one scale per output channel: w ≈ q · scale, with scale = max |w| / 127 and q in -127…127,
 * so that zero stays zero and the range is symmetric.
 */
import { sizeOf } from '../util/shape';

const MAX_INT8 = 127;
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

function layoutOf(shape: readonly number[], axis: number): Layout {
  return { outer: sizeOf(shape.slice(0, axis)), channels: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Calls `visit` for each run of consecutive values of one channel. */
function eachRun({ outer, channels, inner }: Layout, visit: (channel: number, start: number, end: number) => void): void {
  for (let run = 0; run < outer * channels; run++) visit(run % channels, run * inner, (run + 1) * inner);
}
