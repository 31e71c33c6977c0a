import {
  FoldTaps,
  FromWinograd,
  Gemm,
  GemmInt16,
  Lstm,
  LstmInt16,
  MaxPool,
  QuantizeRows,
  ScaleShiftLeaky,
  ScaleShiftRelu,
} from './assembly/parameters';

/** The named parameters of a kernel: the fields of its block in src/nn/assembly/parameters.ts. */
type NamedFields<Fields, Flag extends keyof Fields = never> = {
  readonly [Field in keyof Fields]: Field extends Flag ? boolean : number;
};

type GemmParameters = NamedFields<typeof Gemm, 'relu'>;
type FromWinogradParameters = NamedFields<typeof FromWinograd, 'relu'>;
type ScaleShiftReluParameters = NamedFields<typeof ScaleShiftRelu>;
type ScaleShiftLeakyParameters = NamedFields<typeof ScaleShiftLeaky>;
type FoldTapsParameters = NamedFields<typeof FoldTaps>;
type MaxPoolParameters = NamedFields<typeof MaxPool, 'magnitude'>;
type LstmParameters = NamedFields<typeof Lstm>;
type QuantizeRowsParameters = NamedFields<typeof QuantizeRows>;
type GemmInt16Parameters = NamedFields<typeof GemmInt16, 'relu'>;
type LstmInt16Parameters = NamedFields<typeof LstmInt16>;

/** The kernels that take a parameter block, called with named parameters. */
export interface BlockKernels {
  gemm(parameters: GemmParameters): void;
  fromWinograd(parameters: FromWinogradParameters): void;
  scaleShiftRelu(parameters: ScaleShiftReluParameters): void;
  scaleShiftLeaky(parameters: ScaleShiftLeakyParameters): void;
  foldTaps(parameters: FoldTapsParameters): void;
  maxPool(parameters: MaxPoolParameters): void;
  lstm(parameters: LstmParameters): void;
  quantizeRows(parameters: QuantizeRowsParameters): void;
  gemmInt16(parameters: GemmInt16Parameters): void;
  lstmInt16(parameters: LstmInt16Parameters): void;
}

/** The same kernels as the module exports them, called with the address of their block. */
export type BlockExports = { readonly [Kernel in keyof BlockKernels]: (block: number) => void };

/** Fields of a block: enough for the kernel with the most. */
export const BLOCK_LENGTH = 16;

/** The memory of the kernels. Both views start at address 0 and are replaced when the memory grows. */
export interface FieldViews {
  readonly allIntegers: Int32Array;
  readonly allFloats: Float32Array;
}

/**
 * Kernels that write their parameters to a block, then run. A kernel reads its block before it does anything else, so
 * all kernels share one, and filling it allocates nothing.
 *
 * @param block address of room for {@link BLOCK_LENGTH} fields
 */
export function withBlock(exports: BlockExports, views: FieldViews, block: number): BlockKernels {
  const first = block / Int32Array.BYTES_PER_ELEMENT;
  // Assignments instead of a loop over names, which takes ten times as long in V8.
  return {
    gemm(parameters) {
      const { allIntegers: integers } = views;
      integers[first + Gemm.out] = parameters.out;
      integers[first + Gemm.outStride] = parameters.outStride;
      integers[first + Gemm.input] = parameters.input;
      integers[first + Gemm.inputStride] = parameters.inputStride;
      integers[first + Gemm.offsets] = parameters.offsets;
      integers[first + Gemm.segments] = parameters.segments;
      integers[first + Gemm.length] = parameters.length;
      integers[first + Gemm.weights] = parameters.weights;
      integers[first + Gemm.panelStride] = parameters.panelStride;
      integers[first + Gemm.tiles] = parameters.tiles;
      integers[first + Gemm.panels] = parameters.panels;
      integers[first + Gemm.bias] = parameters.bias;
      integers[first + Gemm.start] = parameters.start;
      integers[first + Gemm.startStride] = parameters.startStride;
      integers[first + Gemm.relu] = Number(parameters.relu);
      exports.gemm(block);
    },
    fromWinograd(parameters) {
      const { allIntegers: integers } = views;
      integers[first + FromWinograd.out] = parameters.out;
      integers[first + FromWinograd.outStride] = parameters.outStride;
      integers[first + FromWinograd.products] = parameters.products;
      integers[first + FromWinograd.plane] = parameters.plane;
      integers[first + FromWinograd.tiles] = parameters.tiles;
      integers[first + FromWinograd.channels] = parameters.channels;
      integers[first + FromWinograd.bias] = parameters.bias;
      integers[first + FromWinograd.add] = parameters.add;
      integers[first + FromWinograd.addStride] = parameters.addStride;
      integers[first + FromWinograd.relu] = Number(parameters.relu);
      exports.fromWinograd(block);
    },
    scaleShiftRelu(parameters) {
      const { allIntegers: integers } = views;
      integers[first + ScaleShiftRelu.out] = parameters.out;
      integers[first + ScaleShiftRelu.outStride] = parameters.outStride;
      integers[first + ScaleShiftRelu.input] = parameters.input;
      integers[first + ScaleShiftRelu.inputStride] = parameters.inputStride;
      integers[first + ScaleShiftRelu.scale] = parameters.scale;
      integers[first + ScaleShiftRelu.shift] = parameters.shift;
      integers[first + ScaleShiftRelu.rows] = parameters.rows;
      integers[first + ScaleShiftRelu.channels] = parameters.channels;
      exports.scaleShiftRelu(block);
    },
    scaleShiftLeaky(parameters) {
      const { allIntegers: integers, allFloats: floats } = views;
      integers[first + ScaleShiftLeaky.out] = parameters.out;
      integers[first + ScaleShiftLeaky.outStride] = parameters.outStride;
      integers[first + ScaleShiftLeaky.input] = parameters.input;
      integers[first + ScaleShiftLeaky.inputStride] = parameters.inputStride;
      integers[first + ScaleShiftLeaky.scale] = parameters.scale;
      integers[first + ScaleShiftLeaky.shift] = parameters.shift;
      integers[first + ScaleShiftLeaky.rows] = parameters.rows;
      integers[first + ScaleShiftLeaky.channels] = parameters.channels;
      floats[first + ScaleShiftLeaky.slope] = parameters.slope;
      exports.scaleShiftLeaky(block);
    },
    foldTaps(parameters) {
      const { allIntegers: integers } = views;
      integers[first + FoldTaps.sums] = parameters.sums;
      integers[first + FoldTaps.differences] = parameters.differences;
      integers[first + FoldTaps.outStride] = parameters.outStride;
      integers[first + FoldTaps.input] = parameters.input;
      integers[first + FoldTaps.inputStride] = parameters.inputStride;
      integers[first + FoldTaps.rows] = parameters.rows;
      integers[first + FoldTaps.taps] = parameters.taps;
      integers[first + FoldTaps.places] = parameters.places;
      exports.foldTaps(block);
    },
    maxPool(parameters) {
      const { allIntegers: integers } = views;
      integers[first + MaxPool.out] = parameters.out;
      integers[first + MaxPool.outStride] = parameters.outStride;
      integers[first + MaxPool.input] = parameters.input;
      integers[first + MaxPool.inputStride] = parameters.inputStride;
      integers[first + MaxPool.rows] = parameters.rows;
      integers[first + MaxPool.size] = parameters.size;
      integers[first + MaxPool.channels] = parameters.channels;
      integers[first + MaxPool.magnitude] = Number(parameters.magnitude);
      exports.maxPool(block);
    },
    lstm(parameters) {
      const { allIntegers: integers } = views;
      integers[first + Lstm.out] = parameters.out;
      integers[first + Lstm.outFrame] = parameters.outFrame;
      integers[first + Lstm.outWindow] = parameters.outWindow;
      integers[first + Lstm.gates] = parameters.gates;
      integers[first + Lstm.gatesFrame] = parameters.gatesFrame;
      integers[first + Lstm.gatesWindow] = parameters.gatesWindow;
      integers[first + Lstm.weights] = parameters.weights;
      integers[first + Lstm.cells] = parameters.cells;
      integers[first + Lstm.frames] = parameters.frames;
      integers[first + Lstm.windows] = parameters.windows;
      integers[first + Lstm.units] = parameters.units;
      exports.lstm(block);
    },
    quantizeRows(parameters) {
      const { allIntegers: integers } = views;
      integers[first + QuantizeRows.out] = parameters.out;
      integers[first + QuantizeRows.outStride] = parameters.outStride;
      integers[first + QuantizeRows.scales] = parameters.scales;
      integers[first + QuantizeRows.input] = parameters.input;
      integers[first + QuantizeRows.inputStride] = parameters.inputStride;
      integers[first + QuantizeRows.rows] = parameters.rows;
      integers[first + QuantizeRows.channels] = parameters.channels;
      exports.quantizeRows(block);
    },
    gemmInt16(parameters) {
      const { allIntegers: integers } = views;
      integers[first + GemmInt16.out] = parameters.out;
      integers[first + GemmInt16.outStride] = parameters.outStride;
      integers[first + GemmInt16.input] = parameters.input;
      integers[first + GemmInt16.inputStride] = parameters.inputStride;
      integers[first + GemmInt16.inputScales] = parameters.inputScales;
      integers[first + GemmInt16.inputScaleStride] = parameters.inputScaleStride;
      integers[first + GemmInt16.length] = parameters.length;
      integers[first + GemmInt16.weights] = parameters.weights;
      integers[first + GemmInt16.tiles] = parameters.tiles;
      integers[first + GemmInt16.panels] = parameters.panels;
      integers[first + GemmInt16.columnScales] = parameters.columnScales;
      integers[first + GemmInt16.bias] = parameters.bias;
      integers[first + GemmInt16.start] = parameters.start;
      integers[first + GemmInt16.startStride] = parameters.startStride;
      integers[first + GemmInt16.relu] = Number(parameters.relu);
      exports.gemmInt16(block);
    },
    lstmInt16(parameters) {
      const { allIntegers: integers } = views;
      integers[first + LstmInt16.out] = parameters.out;
      integers[first + LstmInt16.outFrame] = parameters.outFrame;
      integers[first + LstmInt16.outWindow] = parameters.outWindow;
      integers[first + LstmInt16.gates] = parameters.gates;
      integers[first + LstmInt16.gatesFrame] = parameters.gatesFrame;
      integers[first + LstmInt16.gatesWindow] = parameters.gatesWindow;
      integers[first + LstmInt16.weights] = parameters.weights;
      integers[first + LstmInt16.scales] = parameters.scales;
      integers[first + LstmInt16.hidden] = parameters.hidden;
      integers[first + LstmInt16.cells] = parameters.cells;
      integers[first + LstmInt16.frames] = parameters.frames;
      integers[first + LstmInt16.windows] = parameters.windows;
      integers[first + LstmInt16.units] = parameters.units;
      exports.lstmInt16(block);
    },
  };
}
