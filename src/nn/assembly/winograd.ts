/**
 * Winograd's convolution F(4, 3) along the frames: four outputs of a filter with three taps from six products instead
 * of twelve. With the points 0, ±1, ±2 and ∞ (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * 2015): outputs = Aᵀ · ((G · taps) ⊙ (Bᵀ · inputs)). src/nn/kernels.ts applies G to the weights once.
 */
import { FromWinograd } from './parameters';
import { field, multiplyAdd, rectify, VECTOR_BYTES } from './vector';

/**
 * Bᵀ · inputs.
 *
 * @param out axes (6, tile, channel), the six `plane` bytes apart
 * @param input the first tile's first frame, axes (frame, channel): each tile reads six frames and starts four frames
 *   after the previous one
 * @param channels a multiple of 4
 */
export function toWinograd(out: usize, plane: usize, input: usize, tiles: i32, channels: i32): void {
  const frame = <usize>channels << 2;
  for (let tile: i32 = 0; tile < tiles; tile++) {
    let i = input + <usize>tile * 4 * frame;
    let o = out + <usize>tile * frame;
    for (const end = i + frame; i < end; i += VECTOR_BYTES, o += VECTOR_BYTES) {
      const d0 = v128.load(i);
      const d1 = v128.load(i + frame);
      const d2 = v128.load(i + 2 * frame);
      const d3 = v128.load(i + 3 * frame);
      const d4 = v128.load(i + 4 * frame);
      const d5 = v128.load(i + 5 * frame);
      const even = multiplyAdd(f32x4.splat(-4), d2, d4);
      const odd = multiplyAdd(f32x4.splat(-4), d1, d3);
      const outer = f32x4.sub(d4, d2);
      const inner = f32x4.mul(f32x4.splat(2), f32x4.sub(d3, d1));
      v128.store(o, multiplyAdd(f32x4.splat(4), d0, multiplyAdd(f32x4.splat(-5), d2, d4)));
      v128.store(o + plane, f32x4.add(even, odd));
      v128.store(o + 2 * plane, f32x4.sub(even, odd));
      v128.store(o + 3 * plane, f32x4.add(outer, inner));
      v128.store(o + 4 * plane, f32x4.sub(outer, inner));
      v128.store(o + 5 * plane, multiplyAdd(f32x4.splat(4), d1, multiplyAdd(f32x4.splat(-5), d3, d5)));
    }
  }
}

/**
 * Aᵀ · products, plus bias and `add`.
 *
 * @param block see `FromWinograd` in parameters.ts
 */
export function fromWinograd(block: usize): void {
  const out = field<usize>(block, FromWinograd.out);
  const outStride = field<usize>(block, FromWinograd.outStride);
  const products = field<usize>(block, FromWinograd.products);
  const plane = field<usize>(block, FromWinograd.plane);
  const tiles = field<i32>(block, FromWinograd.tiles);
  const channels = field<i32>(block, FromWinograd.channels);
  const bias = field<usize>(block, FromWinograd.bias);
  const add = field<usize>(block, FromWinograd.add);
  const addStride = field<usize>(block, FromWinograd.addStride);
  const relu = field<i32>(block, FromWinograd.relu) !== 0;
  const width = <usize>channels << 2;
  for (let tile: i32 = 0; tile < tiles; tile++) {
    const first = <usize>tile * 4;
    for (let byte: usize = 0; byte < width; byte += VECTOR_BYTES) {
      const p = products + <usize>tile * width + byte;
      const m0 = v128.load(p);
      const m1 = v128.load(p + plane);
      const m2 = v128.load(p + 2 * plane);
      const m3 = v128.load(p + 3 * plane);
      const m4 = v128.load(p + 4 * plane);
      const m5 = v128.load(p + 5 * plane);
      const offset = v128.load(bias + byte);
      const sum1 = f32x4.add(m1, m2);
      const difference1 = f32x4.sub(m1, m2);
      const sum2 = f32x4.add(m3, m4);
      const difference2 = f32x4.sub(m3, m4);
      const y0 = f32x4.add(m0, f32x4.add(sum1, sum2));
      const y1 = multiplyAdd(f32x4.splat(2), difference2, difference1);
      const y2 = multiplyAdd(f32x4.splat(4), sum2, sum1);
      const y3 = f32x4.add(m5, multiplyAdd(f32x4.splat(8), difference2, difference1));
      const o = out + first * outStride + byte;
      const a = add + first * addStride + byte;
      put(o, y0, offset, a, relu);
      put(o + outStride, y1, offset, a + addStride, relu);
      put(o + 2 * outStride, y2, offset, a + 2 * addStride, relu);
      put(o + 3 * outStride, y3, offset, a + 3 * addStride, relu);
    }
  }
}

// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function put(out: usize, value: v128, offset: v128, add: usize, relu: bool): void {
  const sum = f32x4.add(f32x4.add(value, offset), v128.load(add));
  v128.store(out, relu ? rectify(sum) : sum);
}
