/** How weights lie in the heap for the matrix product. */

/** Columns that the matrix product computes at a time. */
export const PANEL_COLUMNS = 8;

/** Weights of a convolution, axes (output channel, input channel, tap), row-major. */
export interface Taps {
  readonly weight: Float32Array;
  readonly numOut: number;
  readonly numIn: number;
  readonly numTaps: number;
}

/**
 * Weights in panels of eight columns.
 *
 * @param length of a segment: its inputs, one tap's channels, and zeros up to there
 * @param order for each input of a segment, which input channel that is; in the file's order where it is not given
 * @returns axes (panel, tap, input, column of the panel)
 */
export function packPanels({ weight, numOut, numIn, numTaps }: Taps, length = numIn, order?: ArrayLike<number>): Float32Array {
  const packed = new Float32Array(numOut * numTaps * length);
  for (let column = 0; column < numOut; column++) {
    const panel = Math.floor(column / PANEL_COLUMNS) * numTaps * length * PANEL_COLUMNS + (column % PANEL_COLUMNS);
    for (let tap = 0; tap < numTaps; tap++) {
      for (let input = 0; input < numIn; input++) {
        const channel = order?.[input] ?? input;
        packed[panel + (tap * length + input) * PANEL_COLUMNS] = weight[(column * numIn + channel) * numTaps + tap]!;
      }
    }
  }
  return packed;
}

/** Outputs of a tile of Winograd's convolution, and products that it takes of each channel. */
export const WINOGRAD_OUTPUTS = 4;
export const WINOGRAD_PRODUCTS = 6;

/** G of F(4, 3), axes (product, tap): see src/wasm/assembly/winograd.ts. */
const WINOGRAD_TAPS = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/**
 * G · taps along the last axis of a convolution of 3 × 3 taps, in panels.
 *
 * @param taps nine of them, axes (frequency, frame)
 * @returns axes (product, panel, frequency tap, input, column of the panel)
 */
export function packWinograd({ weight, numOut, numIn }: Taps): Float32Array {
  const size = numOut * numIn * 3;
  const packed = new Float32Array(WINOGRAD_PRODUCTS * size);
  for (const [product, [g0, g1, g2]] of WINOGRAD_TAPS.entries()) {
    const own = Float32Array.from({ length: size }, (_, row) => {
      const tap = 3 * row;
      return g0 * weight[tap]! + g1 * weight[tap + 1]! + g2 * weight[tap + 2]!;
    });
    packed.set(packPanels({ weight: own, numOut, numIn, numTaps: 3 }), product * size);
  }
  return packed;
}
