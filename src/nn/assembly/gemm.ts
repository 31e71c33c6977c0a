import { Gemm } from './parameters';
import { field, multiplyAdd, rectify, VECTOR_BYTES } from './vector';

/**
 * Rows of a tile. With 8 columns, 8 sums, 2 vectors of weights and 4 of inputs fit x64's 15 usable registers. V8 loads all
 * inputs and weights of an iteration before it multiplies, so larger tiles, or two inputs per iteration, store and reload
 * sums in every iteration, which takes up to twice as long.
 */
const TILE_ROWS: i32 = 4;
/** 8 columns of float32: a panel's width. */
const PANEL_BYTES: usize = 32;

/**
 * Matrix product, used for every convolution: out[row, column] = bias[column] + start[row, column] + Σ input ·
 * weights.
 *
 * A row's inputs are `segments` pieces of `length` float32 each, at the same offsets for every row: a convolution's
 * taps. Rows are processed in tiles of 4 and columns in panels of 8, without exceptions, so callers allocate room
 * after the last row.
 *
 * @param block see `Gemm` in parameters.ts
 */
export function gemm(block: usize): void {
  const out = field<usize>(block, Gemm.out);
  const outStride = field<usize>(block, Gemm.outStride);
  const input = field<usize>(block, Gemm.input);
  const inputStride = field<usize>(block, Gemm.inputStride);
  const offsets = field<usize>(block, Gemm.offsets);
  const segments = field<i32>(block, Gemm.segments);
  const length = field<i32>(block, Gemm.length);
  const weights = field<usize>(block, Gemm.weights);
  const panelStride = field<usize>(block, Gemm.panelStride);
  const tiles = field<i32>(block, Gemm.tiles);
  const panels = field<i32>(block, Gemm.panels);
  const bias = field<usize>(block, Gemm.bias);
  const start = field<usize>(block, Gemm.start);
  const startStride = field<usize>(block, Gemm.startStride);
  const relu = field<i32>(block, Gemm.relu) !== 0;
  // All rows for one panel, so its weights stay in the first-level cache.
  for (let panel: i32 = 0; panel < panels; panel++) {
    const column = <usize>panel * PANEL_BYTES;
    for (let tile: i32 = 0; tile < tiles; tile++) {
      const row = <usize>(tile * TILE_ROWS);
      let b = weights + <usize>panel * panelStride;
      const bias0 = v128.load(bias + column);
      const bias1 = v128.load(bias + column, VECTOR_BYTES);
      let s = start + row * startStride + column;
      let c00 = f32x4.add(bias0, v128.load(s));
      let c01 = f32x4.add(bias1, v128.load(s, VECTOR_BYTES));
      s += startStride;
      let c10 = f32x4.add(bias0, v128.load(s));
      let c11 = f32x4.add(bias1, v128.load(s, VECTOR_BYTES));
      s += startStride;
      let c20 = f32x4.add(bias0, v128.load(s));
      let c21 = f32x4.add(bias1, v128.load(s, VECTOR_BYTES));
      s += startStride;
      let c30 = f32x4.add(bias0, v128.load(s));
      let c31 = f32x4.add(bias1, v128.load(s, VECTOR_BYTES));

      for (let segment: i32 = 0; segment < segments; segment++) {
        let a0 = input + row * inputStride + <usize>load<i32>(offsets + (<usize>segment << 2));
        let a1 = a0 + inputStride;
        let a2 = a1 + inputStride;
        let a3 = a2 + inputStride;
        const end = b + <usize>length * PANEL_BYTES;
        do {
          const b0 = v128.load(b);
          const b1 = v128.load(b, VECTOR_BYTES);
          let x = v128.load32_splat(a0);
          c00 = multiplyAdd(x, b0, c00);
          c01 = multiplyAdd(x, b1, c01);
          x = v128.load32_splat(a1);
          c10 = multiplyAdd(x, b0, c10);
          c11 = multiplyAdd(x, b1, c11);
          x = v128.load32_splat(a2);
          c20 = multiplyAdd(x, b0, c20);
          c21 = multiplyAdd(x, b1, c21);
          x = v128.load32_splat(a3);
          c30 = multiplyAdd(x, b0, c30);
          c31 = multiplyAdd(x, b1, c31);
          a0 += 4;
          a1 += 4;
          a2 += 4;
          a3 += 4;
          b += PANEL_BYTES;
        } while (b < end);
      }

      let o = out + row * outStride + column;
      store8(o, c00, c01, relu);
      o += outStride;
      store8(o, c10, c11, relu);
      o += outStride;
      store8(o, c20, c21, relu);
      o += outStride;
      store8(o, c30, c31, relu);
    }
  }
}

// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function store8(out: usize, low: v128, high: v128, relu: bool): void {
  v128.store(out, relu ? rectify(low) : low);
  v128.store(out, relu ? rectify(high) : high, VECTOR_BYTES);
}
