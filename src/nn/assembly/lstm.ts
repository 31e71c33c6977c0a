/** The recurrence and activations of an LSTM, four units at a time. NaN is preserved. */
import { Lstm } from './parameters';
import { field, multiplyAdd, VECTOR_BYTES } from './vector';

/**
 * At this argument, sigmoid and tanh are within 1e-12 of their limits, and the product of three exponentials is still
 * finite.
 */
const MAX_EXPONENT: f32 = 28;
/** Added to a number below 2²², it leaves the nearest integer in the lowest bits. */
const ROUNDER: f32 = 12582912;

/**
 * Computes an LSTM's new cells and hidden states: c = sigmoid(f) · c + sigmoid(i) · tanh(g), hidden = sigmoid(o) ·
 * tanh(c).
 *
 * With E = e^-i, F = e^-f, O = e^-o, G = e^2g and C = e^2c, this takes two divisions instead of five: c = (c · (1 +
 * E) · (G + 1) + (G - 1) · (1 + F)) / ((1 + F) · (1 + E) · (G + 1)) and hidden = (C - 1) / ((1 + O) · (C + 1)).
 * Absolute error: 2e-7; for c, plus a relative error of 3e-7.
 *
 * @param hidden written: axes (unit)
 * @param cells read and written: axes (unit)
 */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
export function updateState(hidden: usize, cells: usize, i: v128, o: v128, f: v128, g: v128): void {
  const one = f32x4.splat(1);
  const opened = f32x4.add(one, exponential(f32x4.neg(i)));
  const kept = f32x4.add(one, exponential(f32x4.neg(f)));
  const given = f32x4.add(one, exponential(f32x4.neg(o)));
  const added = exponential(f32x4.add(g, g));
  const common = f32x4.mul(opened, f32x4.add(added, one));
  const numerator = multiplyAdd(v128.load(cells), common, f32x4.mul(f32x4.sub(added, one), kept));
  const cell = f32x4.div(numerator, f32x4.mul(kept, common));
  v128.store(cells, cell);
  const squashed = exponential(f32x4.add(cell, cell));
  v128.store(hidden, f32x4.div(f32x4.sub(squashed, one), f32x4.mul(given, f32x4.add(squashed, one))));
}

/**
 * e^x, clamped to ±28: 2^n · e^r with |r| ≤ ln 2 / 2. e^r is a polynomial of degree six with a minimax relative error
 * of 1.7e-8 (Remez' algorithm). Its first two coefficients are 1, so e^0 is exactly 1.
 */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function exponential(value: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, f32x4.splat(MAX_EXPONENT)), f32x4.splat(-MAX_EXPONENT));
  const rounded = multiplyAdd(x, f32x4.splat(1.44269504), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  const r = multiplyAdd(n, f32x4.splat(-0.693147182), x);
  let sum = multiplyAdd(f32x4.splat(0.00138367427), r, f32x4.splat(0.00837489836));
  sum = multiplyAdd(sum, r, f32x4.splat(0.0416682318));
  sum = multiplyAdd(sum, r, f32x4.splat(0.166664192));
  sum = multiplyAdd(sum, r, f32x4.splat(0.49999992));
  sum = multiplyAdd(sum, r, f32x4.splat(1));
  sum = multiplyAdd(sum, r, f32x4.splat(1));
  // n in the exponent bits. The bits above the integer are shifted out.
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f800000));
  return f32x4.mul(sum, power);
}

/** Hidden units of a panel: one vector for each of their gates. */
const PANEL_UNITS: i32 = 4;
/** Gates i, o, f and g of four units, float32. */
const PANEL_BYTES: usize = 64;

/**
 * The recurrence of an LSTM in one direction over consecutive frames: gates += weights · hidden states of the
 * previous frame, then new cells and hidden states (see `updateState`).
 *
 * A row of gates or weights has the order (unit / 4, gate, unit % 4), with the gates in the order i, o, f, g. The
 * summation order of a window does not depend on the number of windows.
 *
 * @param block see `Lstm` in parameters.ts
 */
export function lstm(block: usize): void {
  let out = field<usize>(block, Lstm.out);
  const outFrame = field<isize>(block, Lstm.outFrame);
  const outWindow = field<usize>(block, Lstm.outWindow);
  let gates = field<usize>(block, Lstm.gates);
  const gatesFrame = field<isize>(block, Lstm.gatesFrame);
  const gatesWindow = field<usize>(block, Lstm.gatesWindow);
  const weights = field<usize>(block, Lstm.weights);
  const cells = field<usize>(block, Lstm.cells);
  const frames = field<i32>(block, Lstm.frames);
  const windows = field<i32>(block, Lstm.windows);
  const units = field<i32>(block, Lstm.units);
  const panelStride = <usize>units * PANEL_BYTES;
  const stateBytes = <usize>units << 2;
  const paired = windows & ~1;
  for (let frame: i32 = 0; frame < frames; frame++) {
    const before = out - outFrame;
    // All windows for one panel, which stays in the first-level cache. All panels stay in the second-level cache.
    for (let unit: i32 = 0; unit < units; unit += PANEL_UNITS) {
      const panel = weights + <usize>(unit / PANEL_UNITS) * panelStride;
      const g = gates + <usize>unit * 16;
      for (let window: i32 = 0; window < paired; window += 2) {
        const hidden = before + <usize>window * outWindow;
        addTwoWindows(g + <usize>window * gatesWindow, gatesWindow, panel, hidden, outWindow, stateBytes);
      }
      if (paired < windows && (unit & PANEL_UNITS) === 0) {
        addTwoPanels(g + <usize>paired * gatesWindow, panel, panelStride, before + <usize>paired * outWindow, stateBytes);
      }
    }
    for (let window: i32 = 0; window < windows; window++) {
      let g = gates + <usize>window * gatesWindow;
      let o = out + <usize>window * outWindow;
      let c = cells + <usize>window * stateBytes;
      for (const end = c + stateBytes; c < end; c += VECTOR_BYTES) {
        updateState(o, c, v128.load(g), v128.load(g, 16), v128.load(g, 32), v128.load(g, 48));
        g += PANEL_BYTES;
        o += VECTOR_BYTES;
      }
    }
    out += outFrame;
    gates += gatesFrame;
  }
}

/** Four units of two windows: eight sums, so no multiplication waits for the previous one. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function addTwoWindows(
  gates: usize,
  gatesWindow: usize,
  panel: usize,
  hidden: usize,
  outWindow: usize,
  stateBytes: usize,
): void {
  const second = gates + gatesWindow;
  let i0 = v128.load(gates);
  let o0 = v128.load(gates, 16);
  let f0 = v128.load(gates, 32);
  let g0 = v128.load(gates, 48);
  let i1 = v128.load(second);
  let o1 = v128.load(second, 16);
  let f1 = v128.load(second, 32);
  let g1 = v128.load(second, 48);
  let h0 = hidden;
  let h1 = hidden + outWindow;
  let w = panel;
  const end = hidden + stateBytes;
  do {
    const x = v128.load32_splat(h0);
    const y = v128.load32_splat(h1);
    let weight = v128.load(w);
    i0 = multiplyAdd(x, weight, i0);
    i1 = multiplyAdd(y, weight, i1);
    weight = v128.load(w, 16);
    o0 = multiplyAdd(x, weight, o0);
    o1 = multiplyAdd(y, weight, o1);
    weight = v128.load(w, 32);
    f0 = multiplyAdd(x, weight, f0);
    f1 = multiplyAdd(y, weight, f1);
    weight = v128.load(w, 48);
    g0 = multiplyAdd(x, weight, g0);
    g1 = multiplyAdd(y, weight, g1);
    h0 += 4;
    h1 += 4;
    w += PANEL_BYTES;
  } while (h0 < end);
  v128.store(gates, i0);
  v128.store(gates, o0, 16);
  v128.store(gates, f0, 32);
  v128.store(gates, g0, 48);
  v128.store(second, i1);
  v128.store(second, o1, 16);
  v128.store(second, f1, 32);
  v128.store(second, g1, 48);
}

/** Eight units of one window: also eight sums. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function addTwoPanels(gates: usize, panel: usize, panelStride: usize, hidden: usize, stateBytes: usize): void {
  let i0 = v128.load(gates);
  let o0 = v128.load(gates, 16);
  let f0 = v128.load(gates, 32);
  let g0 = v128.load(gates, 48);
  let i1 = v128.load(gates, 64);
  let o1 = v128.load(gates, 80);
  let f1 = v128.load(gates, 96);
  let g1 = v128.load(gates, 112);
  let w = panel;
  let v = panel + panelStride;
  let h = hidden;
  const end = hidden + stateBytes;
  do {
    const x = v128.load32_splat(h);
    i0 = multiplyAdd(x, v128.load(w), i0);
    o0 = multiplyAdd(x, v128.load(w, 16), o0);
    f0 = multiplyAdd(x, v128.load(w, 32), f0);
    g0 = multiplyAdd(x, v128.load(w, 48), g0);
    i1 = multiplyAdd(x, v128.load(v), i1);
    o1 = multiplyAdd(x, v128.load(v, 16), o1);
    f1 = multiplyAdd(x, v128.load(v, 32), f1);
    g1 = multiplyAdd(x, v128.load(v, 48), g1);
    h += 4;
    w += PANEL_BYTES;
    v += PANEL_BYTES;
  } while (h < end);
  v128.store(gates, i0);
  v128.store(gates, o0, 16);
  v128.store(gates, f0, 32);
  v128.store(gates, g0, 48);
  v128.store(gates, i1, 64);
  v128.store(gates, o1, 80);
  v128.store(gates, f1, 96);
  v128.store(gates, g1, 112);
}
