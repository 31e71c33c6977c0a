import { FLOAT_BYTES, type Heap } from './heap';
import type { SequenceExports } from './sequence';

/** Units whose gates lie together, and the gates i, o, f, g. */
const PANEL_UNITS = 4;
const NUM_GATES = 4;

/** The kernels of {@link SequenceExports} in plain loops, in float64: what the compiled ones are tested against, and with. */
export function referenceSequence(heap: Heap): SequenceExports {
  const at = (address: number): number => new DataView(heap.memory.buffer).getFloat32(address, true);
  const put = (address: number, value: number): void => {
    new DataView(heap.memory.buffer).setFloat32(address, value, true);
  };
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
  const leaky = (value: number, slope: number): number => (value < 0 ? value * slope : value);
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

  return {
    foldTaps(sums, differences, outStride, input, inputStride, rows, taps, places) {
      for (let row = 0; row < rows; row++) {
        for (let place = 0; place < places; place++) {
          const own = at(input + row * inputStride + place * FLOAT_BYTES);
          const mirrored = at(input + row * inputStride + (taps - 1 - place) * FLOAT_BYTES);
          put(sums + row * outStride + place * FLOAT_BYTES, own + mirrored);
          put(differences + row * outStride + place * FLOAT_BYTES, own - mirrored);
        }
      }
    },
    maxPool(out, outStride, input, inputStride, rows, size, channels, magnitude) {
      for (let row = 0; row < rows; row++) {
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          const values = range(size).map((place) => at(input + (row * size + place) * inputStride + byte));
          put(out + row * outStride + byte, Math.max(...values.map((value) => (magnitude ? Math.abs(value) : value))));
        }
      }
    },
    subtractRow(values, stride, row, rows, channels) {
      for (let index = 0; index < rows; index++) {
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          put(values + index * stride + byte, at(values + index * stride + byte) - at(row + byte));
        }
      }
    },
    scaleShiftLeaky(out, outStride, input, inputStride, scale, shift, rows, channels, slope) {
      for (let row = 0; row < rows; row++) {
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          const value = at(input + row * inputStride + byte) * at(scale + byte) + at(shift + byte);
          put(out + row * outStride + byte, leaky(value, slope));
        }
      }
    },
    leakyRelu(values, length, slope) {
      for (let byte = 0; byte < length * FLOAT_BYTES; byte += FLOAT_BYTES) put(values + byte, leaky(at(values + byte), slope));
    },
    lstm(out, outFrame, outWindow, gates, gatesFrame, gatesWindow, weights, cells, frames, windows, units) {
      for (let frame = 0; frame < frames; frame++) {
        for (let window = 0; window < windows; window++) {
          const states = out + frame * outFrame + window * outWindow;
          const before = range(units).map((unit) => at(states - outFrame + unit * FLOAT_BYTES));
          for (let unit = 0; unit < units; unit++) {
            const place = Math.floor(unit / PANEL_UNITS) * NUM_GATES * PANEL_UNITS + (unit % PANEL_UNITS);
            const panel = Math.floor(unit / PANEL_UNITS) * units * NUM_GATES * PANEL_UNITS + (unit % PANEL_UNITS);
            const [i, o, f, g] = range(NUM_GATES).map((gate) => {
              const input = at(gates + frame * gatesFrame + window * gatesWindow + (place + gate * PANEL_UNITS) * FLOAT_BYTES);
              const weight = (from: number): number => at(weights + (panel + (from * NUM_GATES + gate) * PANEL_UNITS) * FLOAT_BYTES);
              return before.reduce((sum, value, from) => sum + value * weight(from), input);
            }) as [number, number, number, number];
            const own = cells + (window * units + unit) * FLOAT_BYTES;
            const cell = sigmoid(f) * at(own) + sigmoid(i) * Math.tanh(g);
            put(own, cell);
            put(states + unit * FLOAT_BYTES, sigmoid(o) * Math.tanh(cell));
          }
        }
      }
    },
  };
}
