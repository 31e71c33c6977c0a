/**
 * The parameter blocks of the kernels that have more than six parameters: the order of their fields. A field has four
 * bytes, so its offset is four times its number. AssemblyScript and TypeScript both compile this file: the kernels read
 * the blocks, and src/nn/parameters.ts writes them. Fields are int32 unless they are marked as float32.
 *
 * Addresses and strides are in bytes.
 */

export enum Gemm {
  /** Axes (4 · tiles, 8 · panels). */
  out,
  /** From a row of `out` to the next. */
  outStride,
  /** Rows may overlap. */
  input,
  inputStride,
  /** Address of an int32 for each segment: bytes from a row's address to the segment. */
  offsets,
  segments,
  /** Of a segment, even. */
  length,
  /** Axes (panel, segment, length, 8). */
  weights,
  /** From a panel of `weights` to the next. */
  panelStride,
  tiles,
  panels,
  /** Axes (8 · panels). */
  bias,
  /** Axes as `out`; may be `out` itself. */
  start,
  startStride,
  /** 1 if negative results become 0, else 0. */
  relu,
}

export enum FromWinograd {
  /** Axes (4 · tile, channel). */
  out,
  /** From a frame of `out` to the next. */
  outStride,
  /** Axes (6, tile, channel). */
  products,
  /** From one of the six products to the next. */
  plane,
  tiles,
  /** A multiple of 4. */
  channels,
  /** Axes (channel). */
  bias,
  /** Axes as `out`. */
  add,
  /** From a frame of `add` to the next. */
  addStride,
  /** 1 if negative results become 0, else 0. */
  relu,
}

export enum ScaleShiftRelu {
  /** Axes (row, channel). */
  out,
  outStride,
  /** Axes (row, channel). */
  input,
  inputStride,
  /** Axes (channel). */
  scale,
  /** Axes (channel). */
  shift,
  rows,
  channels,
}

export enum ScaleShiftLeaky {
  /** Axes (row, channel); may be `input`. */
  out,
  outStride,
  /** Axes (row, channel). */
  input,
  inputStride,
  /** Axes (channel). */
  scale,
  /** Axes (channel). */
  shift,
  rows,
  channels,
  /** Float32, from 0 to 1. */
  slope,
}

export enum FoldTaps {
  /** Axes (row, place). */
  sums,
  /** Axes (row, place). */
  differences,
  /** From a row of `sums` or `differences` to the next. */
  outStride,
  /** Rows of `taps` samples, which may overlap. */
  input,
  inputStride,
  rows,
  taps,
  /** Length of an output row, a multiple of 4. */
  places,
}

export enum MaxPool {
  /** Axes (row, channel). */
  out,
  outStride,
  /** Axes (size · row, channel). */
  input,
  inputStride,
  /** Of `out`. */
  rows,
  /** Input rows per output row. */
  size,
  channels,
  /** 1 to use absolute values, else 0. */
  magnitude,
}

export enum Lstm {
  /** Hidden states, axes (frame, window, unit); the frame before the first holds the initial state. */
  out,
  /** From a frame of `out` to the next computed frame: negative for the backward direction. */
  outFrame,
  /** From a window of `out` to the next. */
  outWindow,
  /** The input's contribution to the gates, axes (frame, window, 4 · unit); overwritten. */
  gates,
  /** From a frame of `gates` to the next computed frame: negative for the backward direction. */
  gatesFrame,
  /** From a window of `gates` to the next. */
  gatesWindow,
  /** Axes (unit / 4, unit of the previous frame, gate, unit % 4). */
  weights,
  /** Axes (window, unit): initial values; at the end, those of the last frame. */
  cells,
  frames,
  windows,
  /** A multiple of 8. */
  units,
}

export enum QuantizeRows {
  /** Int16, axes (row, channel). */
  out,
  outStride,
  /** Written: what 1 stands for in each row of `out`; axes (row). */
  scales,
  /** Axes (row, channel). */
  input,
  inputStride,
  rows,
  /** A multiple of 4. */
  channels,
}

export enum GemmInt16 {
  /** Axes (4 · tiles, 8 · panels). */
  out,
  outStride,
  /** Int16, magnitudes up to 8191. Rows may overlap. */
  input,
  inputStride,
  /** What 1 stands for in each row of `input`. */
  inputScales,
  /** From the scale of a row to that of the next; 0 if all rows share one. */
  inputScaleStride,
  /** Inputs of a row, a multiple of 4. */
  length,
  /** Int16, axes (panel, length / 2, 8, 2). */
  weights,
  tiles,
  panels,
  /** What 1 stands for in the weights of each column, axes (8 · panels). */
  columnScales,
  /** Axes (8 · panels). */
  bias,
  /** Axes as `out`; may be `out` itself. */
  start,
  startStride,
  /** 1 if negative results become 0, else 0. */
  relu,
}

export enum LstmInt16 {
  /** Written: hidden states, axes (frame, window, unit). */
  out,
  /** From a frame of `out` to the next computed frame: negative for the backward direction. */
  outFrame,
  /** From a window of `out` to the next. */
  outWindow,
  /** The input's contribution to the gates, axes (frame, window, 4 · unit); overwritten. */
  gates,
  /** From a frame of `gates` to the next computed frame: negative for the backward direction. */
  gatesFrame,
  /** From a window of `gates` to the next. */
  gatesWindow,
  /** Int16, axes (unit / 4, unit of the previous frame / 2, gate, unit % 4, 2). */
  weights,
  /** What the product of 1 and 1 stands for in each gate, axes (unit / 4, gate, unit % 4). */
  scales,
  /** Int16, axes (window, unit): hidden states times 8191; initial values, and at the end those of the last frame. */
  hidden,
  /** Axes (window, unit): initial values; at the end, those of the last frame. */
  cells,
  frames,
  windows,
  /** A multiple of 8. */
  units,
}
