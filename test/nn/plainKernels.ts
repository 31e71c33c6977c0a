import { MAX_INPUT } from '../../src/nn/int16';
import {
  FLOAT_BYTES,
  type Heap,
  type KernelExports,
  PANEL_COLUMNS,
  type SequenceExports,
  TILE_ROWS,
  WINOGRAD_OUTPUTS,
  WINOGRAD_PRODUCTS,
} from '../../src/nn/kernels';

/** Bᵀ and Aᵀ of F(4, 3): see src/nn/assembly/winograd.ts. Axes (product, frame) and (output, product). */
const INPUT_TRANSFORM = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const OUTPUT_TRANSFORM = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Rounds to the nearest integer, and halves to the even one. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** Reference kernels as plain loops with float64 sums. The compiled kernels are compared with them and can be replaced by them. */
export function referenceKernels(heap: Heap): KernelExports {
  const at = (address: number): number => new DataView(heap.memory.buffer).getFloat32(address, true);
  const put = (address: number, value: number): void => {
    new DataView(heap.memory.buffer).setFloat32(address, value, true);
  };
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const rectified = (value: number, relu: boolean): number => (relu && value < 0 ? 0 : value);

  return {
    gemm(parameters) {
      const { out, outStride, input, inputStride, offsets, segments, length } = parameters;
      const { weights, panelStride, tiles, panels, bias, start, startStride, relu } = parameters;
      const taken = [...new Int32Array(heap.memory.buffer, offsets, segments)];
      for (let row = 0; row < tiles * TILE_ROWS; row++) {
        const values = taken.flatMap((offset) => [...heap.floats(input + row * inputStride + offset, length)]);
        for (let column = 0; column < panels * PANEL_COLUMNS; column++) {
          const byte = column * FLOAT_BYTES;
          const own = weights + Math.floor(column / PANEL_COLUMNS) * panelStride + (column % PANEL_COLUMNS) * FLOAT_BYTES;
          const product = sum(values.map((value, index) => value * at(own + index * PANEL_COLUMNS * FLOAT_BYTES)));
          const result = at(bias + byte) + at(start + row * startStride + byte) + product;
          put(out + row * outStride + byte, rectified(result, relu));
        }
      }
    },
    quantizeRows({ out, outStride, scales, input, inputStride, rows, channels }) {
      for (let row = 0; row < rows; row++) {
        const values = [...heap.floats(input + row * inputStride, channels)];
        const greatest = Math.max(...values.map(Math.abs));
        const isZero = greatest < 1e-30;
        put(scales + row * FLOAT_BYTES, isZero ? 0 : greatest / MAX_INPUT);
        const factor = isZero ? 0 : Math.fround(MAX_INPUT / greatest);
        // An Int16Array converts NaN to 0.
        new Int16Array(heap.memory.buffer, out + row * outStride, channels).set(values.map((value) => roundEven(Math.fround(value * factor))));
      }
    },
    gemmInt16(parameters) {
      const { out, outStride, input, inputStride, inputScales, inputScaleStride, length } = parameters;
      const { weights, tiles, panels, columnScales, bias, start, startStride, relu } = parameters;
      const packed = new Int16Array(heap.memory.buffer, weights, panels * PANEL_COLUMNS * length);
      for (let row = 0; row < tiles * 4; row++) {
        const values = new Int16Array(heap.memory.buffer, input + row * inputStride, length);
        for (let column = 0; column < panels * PANEL_COLUMNS; column++) {
          const byte = column * FLOAT_BYTES;
          const panel = Math.floor(column / PANEL_COLUMNS) * PANEL_COLUMNS * length;
          let product = 0;
          for (const [index, value] of values.entries()) {
            product += value * packed[panel + ((index >> 1) * PANEL_COLUMNS + (column % PANEL_COLUMNS)) * 2 + (index % 2)]!;
          }
          // Rounded after each operation, as in float32, so the kernels are equal bit for bit.
          const scale = Math.fround(at(inputScales + row * inputScaleStride) * at(columnScales + byte));
          const added = Math.fround(at(bias + byte) + at(start + row * startStride + byte));
          put(out + row * outStride + byte, rectified(Math.fround(Math.fround(Math.fround(product) * scale) + added), relu));
        }
      }
    },
    scaleShiftRelu({ out, outStride, input, inputStride, scale, shift, rows, channels }) {
      for (let row = 0; row < rows; row++) {
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          const value = at(input + row * inputStride + byte) * at(scale + byte) + at(shift + byte);
          put(out + row * outStride + byte, rectified(value, true));
        }
      }
    },
    segmentSums(out, input, stride, rows, length, channels) {
      for (let segment = 0; segment * length < rows; segment++) {
        const own = range(Math.min(length, rows - segment * length)).map((row) => input + (segment * length + row) * stride);
        for (let channel = 0; channel < channels; channel++) {
          const total = sum(own.map((address) => at(address + channel * FLOAT_BYTES)));
          put(out + (segment * channels + channel) * FLOAT_BYTES, total);
        }
      }
    },
    squaredDeviations(out, input, stride, mean, rows, channels) {
      for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
        put(out + byte, sum(range(rows).map((row) => (at(input + row * stride + byte) - at(mean + byte)) ** 2)));
      }
    },
    gate(values, stride, gates, rows, length, channels) {
      for (let row = 0; row < rows; row++) {
        const own = gates + Math.floor(row / length) * channels * FLOAT_BYTES;
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          put(values + row * stride + byte, at(values + row * stride + byte) * at(own + byte));
        }
      }
    },
    toWinograd(out, plane, input, tiles, channels) {
      const frame = channels * FLOAT_BYTES;
      for (let tile = 0; tile < tiles; tile++) {
        for (let byte = 0; byte < frame; byte += FLOAT_BYTES) {
          const first = input + tile * WINOGRAD_OUTPUTS * frame + byte;
          for (const [product, factors] of INPUT_TRANSFORM.entries()) {
            const value = sum(factors.map((factor, index) => factor * at(first + index * frame)));
            put(out + product * plane + tile * frame + byte, value);
          }
        }
      }
    },
    fromWinograd({ out, outStride, products, plane, tiles, channels, bias, add, addStride, relu }) {
      for (let frame = 0; frame < tiles * WINOGRAD_OUTPUTS; frame++) {
        const factors = OUTPUT_TRANSFORM[frame % WINOGRAD_OUTPUTS]!;
        const first = products + Math.floor(frame / WINOGRAD_OUTPUTS) * channels * FLOAT_BYTES;
        for (let byte = 0; byte < channels * FLOAT_BYTES; byte += FLOAT_BYTES) {
          const terms = range(WINOGRAD_PRODUCTS).map((product) => factors[product]! * at(first + product * plane + byte));
          const value = sum(terms) + at(bias + byte) + at(add + frame * addStride + byte);
          put(out + frame * outStride + byte, rectified(value, relu));
        }
      }
    },
  };
}

/** Number of units with adjacent gates, and the gates i, o, f, g. */
const PANEL_UNITS = 4;
const NUM_GATES = 4;

/** Reference kernels of {@link SequenceExports} as plain loops in float64. */
export function referenceSequence(heap: Heap): SequenceExports {
  const at = (address: number): number => new DataView(heap.memory.buffer).getFloat32(address, true);
  const put = (address: number, value: number): void => {
    new DataView(heap.memory.buffer).setFloat32(address, value, true);
  };
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
  const leaky = (value: number, slope: number): number => (value < 0 ? value * slope : value);
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

  return {
    foldTaps({ sums, differences, outStride, input, inputStride, rows, taps, places }) {
      for (let row = 0; row < rows; row++) {
        for (let place = 0; place < places; place++) {
          const own = at(input + row * inputStride + place * FLOAT_BYTES);
          const mirrored = at(input + row * inputStride + (taps - 1 - place) * FLOAT_BYTES);
          put(sums + row * outStride + place * FLOAT_BYTES, own + mirrored);
          put(differences + row * outStride + place * FLOAT_BYTES, own - mirrored);
        }
      }
    },
    maxPool({ out, outStride, input, inputStride, rows, size, channels, magnitude }) {
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
    scaleShiftLeaky({ out, outStride, input, inputStride, scale, shift, rows, channels, slope }) {
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
    lstm({ out, outFrame, outWindow, gates, gatesFrame, gatesWindow, weights, cells, frames, windows, units }) {
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
    lstmInt16({ out, outFrame, outWindow, gates, gatesFrame, gatesWindow, weights, scales, hidden, cells, frames, windows, units }) {
      const packed = new Int16Array(heap.memory.buffer, weights, units * units * NUM_GATES);
      for (let frame = 0; frame < frames; frame++) {
        for (let window = 0; window < windows; window++) {
          const states = new Int16Array(heap.memory.buffer, hidden + window * units * 2, units);
          const before = [...states];
          for (let unit = 0; unit < units; unit++) {
            const panel = Math.floor(unit / PANEL_UNITS);
            const [i, o, f, g] = range(NUM_GATES).map((gate) => {
              const place = panel * NUM_GATES * PANEL_UNITS + gate * PANEL_UNITS + (unit % PANEL_UNITS);
              const weight = (from: number): number =>
                packed[panel * units * NUM_GATES * PANEL_UNITS + ((from >> 1) * NUM_GATES * PANEL_UNITS + gate * PANEL_UNITS + (unit % PANEL_UNITS)) * 2 + (from % 2)]!;
              const product = before.reduce((total, value, from) => total + value * weight(from), 0);
              return at(gates + frame * gatesFrame + window * gatesWindow + place * FLOAT_BYTES) + product * at(scales + place * FLOAT_BYTES);
            }) as [number, number, number, number];
            const own = cells + (window * units + unit) * FLOAT_BYTES;
            const cell = sigmoid(f) * at(own) + sigmoid(i) * Math.tanh(g);
            const state = sigmoid(o) * Math.tanh(cell);
            put(own, cell);
            put(out + frame * outFrame + window * outWindow + unit * FLOAT_BYTES, state);
            states[unit] = roundEven(Math.fround(Math.fround(state) * MAX_INPUT));
          }
        }
      }
    },
  };
}
