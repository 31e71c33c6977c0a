/**
 * Products of int16 vectors: eight multiplications and four additions per instruction, twice as many as in float32.
 * Integers are added in any order with the same sum, so the results do not depend on the build or the processor.
 */
import { GemmInt16, QuantizeRows } from './parameters';
import { field, rectify, VECTOR_BYTES } from './vector';

/**
 * Greatest magnitude of an input. A weight may then have up to 18 bits, divided among the weights of a column: see
 * `packInt16` in src/nn/int16.ts.
 */
export const MAX_INPUT: f32 = 8191;
/** A row of smaller values counts as zeros. The reciprocal of its greatest value could be infinite. */
const LEAST: f32 = 1e-30;
/** All bits of a float32 except its sign. */
const MAGNITUDE: i32 = 0x7fffffff;

/**
 * Converts rows to int16: round(input · 8191 / greatest), with the greatest magnitude of the row.
 *
 * @param block see `QuantizeRows` in parameters.ts
 */
export function quantizeRows(block: usize): void {
  const out = field<usize>(block, QuantizeRows.out);
  const outStride = field<usize>(block, QuantizeRows.outStride);
  const scales = field<usize>(block, QuantizeRows.scales);
  const input = field<usize>(block, QuantizeRows.input);
  const inputStride = field<usize>(block, QuantizeRows.inputStride);
  const rows = field<i32>(block, QuantizeRows.rows);
  const channels = field<i32>(block, QuantizeRows.channels);
  const width = <usize>channels << 2;
  for (let row: i32 = 0; row < rows; row++) {
    const i = input + <usize>row * inputStride;
    // As integers, magnitudes have the order of their values, with infinity and NaN above all numbers.
    let most = i32x4.splat(0);
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      most = i32x4.max_s(most, v128.and(v128.load(i + byte), i32x4.splat(MAGNITUDE)));
    }
    const pair = max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1));
    const other = max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3));
    const greatest = reinterpret<f32>(max(pair, other));
    // False for NaN, which becomes the scale, and so every result of the row.
    const isZero = greatest < LEAST;
    store<f32>(scales + (<usize>row << 2), isZero ? 0 : greatest / MAX_INPUT);
    const factor = f32x4.splat(isZero ? 0 : MAX_INPUT / greatest);
    let o = out + <usize>row * outStride;
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const rounded = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(i + byte), factor)));
      v128.store64_lane(o, i16x8.narrow_i32x4_s(rounded, rounded), 0);
      o += 8;
    }
  }
}

/**
 * Matrix product of int16: out[row, column] = bias[column] + start[row, column] + scale[row] · scale[column] · Σ input ·
 * weights.
 *
 * Rows are processed in tiles of 4 and columns in panels of 8, without exceptions, so callers allocate room after the
 * last row. Eight sums, four vectors of inputs and two of weights fit x64's 15 usable registers: see `gemm`.
 *
 * @param block see `GemmInt16` in parameters.ts
 */
export function gemmInt16(block: usize): void {
  const out = field<usize>(block, GemmInt16.out);
  const outStride = field<usize>(block, GemmInt16.outStride);
  const input = field<usize>(block, GemmInt16.input);
  const inputStride = field<usize>(block, GemmInt16.inputStride);
  const inputScales = field<usize>(block, GemmInt16.inputScales);
  const inputScaleStride = field<usize>(block, GemmInt16.inputScaleStride);
  const length = field<i32>(block, GemmInt16.length);
  const weights = field<usize>(block, GemmInt16.weights);
  const tiles = field<i32>(block, GemmInt16.tiles);
  const panels = field<i32>(block, GemmInt16.panels);
  const columnScales = field<usize>(block, GemmInt16.columnScales);
  const bias = field<usize>(block, GemmInt16.bias);
  const start = field<usize>(block, GemmInt16.start);
  const startStride = field<usize>(block, GemmInt16.startStride);
  const relu = field<i32>(block, GemmInt16.relu) !== 0;
  const panelBytes = <usize>length << 4;
  // All rows for one panel, so its weights stay in the first-level cache.
  for (let panel: i32 = 0; panel < panels; panel++) {
    const column = <usize>panel << 5;
    const begin = weights + <usize>panel * panelBytes;
    const end = begin + panelBytes;
    for (let tile: i32 = 0; tile < tiles; tile++) {
      const row = <usize>tile << 2;
      let a0 = input + row * inputStride;
      let a1 = a0 + inputStride;
      let a2 = a1 + inputStride;
      let a3 = a2 + inputStride;
      let c00 = i32x4.splat(0);
      let c01 = c00;
      let c10 = c00;
      let c11 = c00;
      let c20 = c00;
      let c21 = c00;
      let c30 = c00;
      let c31 = c00;
      let b = begin;
      do {
        const b0 = v128.load(b);
        const b1 = v128.load(b, VECTOR_BYTES);
        let x = v128.load32_splat(a0);
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(x, b0));
        c01 = i32x4.add(c01, i32x4.dot_i16x8_s(x, b1));
        x = v128.load32_splat(a1);
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(x, b0));
        c11 = i32x4.add(c11, i32x4.dot_i16x8_s(x, b1));
        x = v128.load32_splat(a2);
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(x, b0));
        c21 = i32x4.add(c21, i32x4.dot_i16x8_s(x, b1));
        x = v128.load32_splat(a3);
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(x, b0));
        c31 = i32x4.add(c31, i32x4.dot_i16x8_s(x, b1));
        a0 += 4;
        a1 += 4;
        a2 += 4;
        a3 += 4;
        b += 32;
      } while (b < end);

      let o = out + row * outStride + column;
      let s = start + row * startStride + column;
      let scale = inputScales + row * inputScaleStride;
      const scales = columnScales + column;
      const offset = bias + column;
      put(o, c00, c01, scale, scales, offset, s, relu);
      o += outStride;
      s += startStride;
      scale += inputScaleStride;
      put(o, c10, c11, scale, scales, offset, s, relu);
      o += outStride;
      s += startStride;
      scale += inputScaleStride;
      put(o, c20, c21, scale, scales, offset, s, relu);
      o += outStride;
      s += startStride;
      scale += inputScaleStride;
      put(o, c30, c31, scale, scales, offset, s, relu);
    }
  }
}

/** Converts the sums of eight columns of a row. Not fused, so that every build rounds alike. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function put(out: usize, low: v128, high: v128, scale: usize, scales: usize, bias: usize, start: usize, relu: bool): void {
  const own = v128.load32_splat(scale);
  let y0 = f32x4.mul(f32x4.convert_i32x4_s(low), f32x4.mul(own, v128.load(scales)));
  let y1 = f32x4.mul(f32x4.convert_i32x4_s(high), f32x4.mul(own, v128.load(scales, VECTOR_BYTES)));
  y0 = f32x4.add(y0, f32x4.add(v128.load(bias), v128.load(start)));
  y1 = f32x4.add(y1, f32x4.add(v128.load(bias, VECTOR_BYTES), v128.load(start, VECTOR_BYTES)));
  v128.store(out, relu ? rectify(y0) : y0);
  v128.store(out, relu ? rectify(y1) : y1, VECTOR_BYTES);
}
