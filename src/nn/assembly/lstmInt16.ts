/** The recurrence of an LSTM with products of int16: see lstm.ts and int16.ts. */
import { MAX_INPUT } from './int16';
import { updateState } from './lstm';
import { LstmInt16 } from './parameters';
import { field, VECTOR_BYTES } from './vector';

/** Hidden units of a panel: one vector for each of their gates. */
const PANEL_UNITS: i32 = 4;
/** Gates i, o, f and g of four units. */
const GATE_BYTES: usize = 64;

/**
 * Like `lstm`, but the hidden states of the previous frame, which are between -1 and 1, and the weights are int16. NaN is
 * preserved in the cells.
 *
 * @param block see `LstmInt16` in parameters.ts
 */
export function lstmInt16(block: usize): void {
  let out = field<usize>(block, LstmInt16.out);
  const outFrame = field<isize>(block, LstmInt16.outFrame);
  const outWindow = field<usize>(block, LstmInt16.outWindow);
  let gates = field<usize>(block, LstmInt16.gates);
  const gatesFrame = field<isize>(block, LstmInt16.gatesFrame);
  const gatesWindow = field<usize>(block, LstmInt16.gatesWindow);
  const weights = field<usize>(block, LstmInt16.weights);
  const scales = field<usize>(block, LstmInt16.scales);
  const hidden = field<usize>(block, LstmInt16.hidden);
  const cells = field<usize>(block, LstmInt16.cells);
  const frames = field<i32>(block, LstmInt16.frames);
  const windows = field<i32>(block, LstmInt16.windows);
  const units = field<i32>(block, LstmInt16.units);
  // Four gates of four units, two bytes each, for every unit of the previous frame.
  const panelBytes = <usize>units << 5;
  const hiddenBytes = <usize>units << 1;
  const stateBytes = <usize>units << 2;
  const paired = windows & ~1;
  for (let frame: i32 = 0; frame < frames; frame++) {
    // All windows for one panel, which stays in the first-level cache.
    for (let unit: i32 = 0; unit < units; unit += PANEL_UNITS) {
      const panel = weights + <usize>(unit / PANEL_UNITS) * panelBytes;
      const g = gates + <usize>unit * 16;
      const s = scales + <usize>unit * 16;
      for (let window: i32 = 0; window < paired; window += 2) {
        addTwoWindows(g + <usize>window * gatesWindow, gatesWindow, panel, s, hidden + <usize>window * hiddenBytes, hiddenBytes);
      }
      if (paired < windows) addWindow(g + <usize>paired * gatesWindow, panel, s, hidden + <usize>paired * hiddenBytes, hiddenBytes);
    }
    for (let window: i32 = 0; window < windows; window++) {
      let g = gates + <usize>window * gatesWindow;
      let o = out + <usize>window * outWindow;
      let h = hidden + <usize>window * hiddenBytes;
      let c = cells + <usize>window * stateBytes;
      for (const end = c + stateBytes; c < end; c += VECTOR_BYTES) {
        updateState(o, c, v128.load(g), v128.load(g, 16), v128.load(g, 32), v128.load(g, 48));
        const rounded = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(o), f32x4.splat(MAX_INPUT))));
        v128.store64_lane(h, i16x8.narrow_i32x4_s(rounded, rounded), 0);
        g += GATE_BYTES;
        o += VECTOR_BYTES;
        h += 8;
      }
    }
    out += outFrame;
    gates += gatesFrame;
  }
}

/** Four units of two windows, which share the loads of the weights. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function addTwoWindows(gates: usize, gatesWindow: usize, panel: usize, scales: usize, hidden: usize, hiddenBytes: usize): void {
  let i0 = i32x4.splat(0);
  let o0 = i0;
  let f0 = i0;
  let g0 = i0;
  let i1 = i0;
  let o1 = i0;
  let f1 = i0;
  let g1 = i0;
  let h0 = hidden;
  let h1 = hidden + hiddenBytes;
  let w = panel;
  const end = hidden + hiddenBytes;
  do {
    const x = v128.load32_splat(h0);
    const y = v128.load32_splat(h1);
    let weight = v128.load(w);
    i0 = i32x4.add(i0, i32x4.dot_i16x8_s(x, weight));
    i1 = i32x4.add(i1, i32x4.dot_i16x8_s(y, weight));
    weight = v128.load(w, 16);
    o0 = i32x4.add(o0, i32x4.dot_i16x8_s(x, weight));
    o1 = i32x4.add(o1, i32x4.dot_i16x8_s(y, weight));
    weight = v128.load(w, 32);
    f0 = i32x4.add(f0, i32x4.dot_i16x8_s(x, weight));
    f1 = i32x4.add(f1, i32x4.dot_i16x8_s(y, weight));
    weight = v128.load(w, 48);
    g0 = i32x4.add(g0, i32x4.dot_i16x8_s(x, weight));
    g1 = i32x4.add(g1, i32x4.dot_i16x8_s(y, weight));
    h0 += 4;
    h1 += 4;
    w += GATE_BYTES;
  } while (h0 < end);
  addScaled(gates, i0, o0, f0, g0, scales);
  addScaled(gates + gatesWindow, i1, o1, f1, g1, scales);
}

/** Four units of one window. */
// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function addWindow(gates: usize, panel: usize, scales: usize, hidden: usize, hiddenBytes: usize): void {
  let i = i32x4.splat(0);
  let o = i;
  let f = i;
  let g = i;
  let w = panel;
  let h = hidden;
  const end = hidden + hiddenBytes;
  do {
    const x = v128.load32_splat(h);
    i = i32x4.add(i, i32x4.dot_i16x8_s(x, v128.load(w)));
    o = i32x4.add(o, i32x4.dot_i16x8_s(x, v128.load(w, 16)));
    f = i32x4.add(f, i32x4.dot_i16x8_s(x, v128.load(w, 32)));
    g = i32x4.add(g, i32x4.dot_i16x8_s(x, v128.load(w, 48)));
    h += 4;
    w += GATE_BYTES;
  } while (h < end);
  addScaled(gates, i, o, f, g, scales);
}

// @ts-expect-error AssemblyScript allows decorators on functions, TypeScript does not.
@inline
function addScaled(gates: usize, i: v128, o: v128, f: v128, g: v128, scales: usize): void {
  v128.store(gates, f32x4.add(v128.load(gates), f32x4.mul(f32x4.convert_i32x4_s(i), v128.load(scales))));
  v128.store(gates, f32x4.add(v128.load(gates, 16), f32x4.mul(f32x4.convert_i32x4_s(o), v128.load(scales, 16))), 16);
  v128.store(gates, f32x4.add(v128.load(gates, 32), f32x4.mul(f32x4.convert_i32x4_s(f), v128.load(scales, 32))), 32);
  v128.store(gates, f32x4.add(v128.load(gates, 48), f32x4.mul(f32x4.convert_i32x4_s(g), v128.load(scales, 48))), 48);
}
