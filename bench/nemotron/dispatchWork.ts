/** Work of one dispatch of the kernels of Nemotron 3 Diarization, from the parameters and buffers that the kernel receives. */

/** A dispatch with everything that it is submitted with. */
export interface Dispatch {
  /** Label of the pipeline. */
  readonly kernel: string;
  /** The kernel's block of parameters. */
  readonly parameters: Uint32Array;
  /** Sizes of the buffers of the bindings from 1, in bytes. */
  readonly bufferBytes: readonly number[];
  /** Along x, y and z. */
  readonly workgroups: readonly [number, number, number];
}

export interface DispatchWork {
  /** Two per multiply-add of a product or of attention, and those of the filterbank. Those of norms, activations and checks are few. */
  readonly flops: number;
  /** Least traffic of the GPU's memory: each value that the kernel needs is read or written once. */
  readonly bytes: number;
}

const FLOAT_BYTES = 4;
/** Of `FLAGS` in gpu/product.ts. */
const ACCUMULATE = 1;
const POOL = 8;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** @param fbankFlops of a mel frame */
type Count = (dispatch: Dispatch, fbankFlops: number) => DispatchWork;

const KERNELS: Readonly<Record<string, Count>> = {
  // Samples, tables and features, which are bound without unused parts. Order of the parameters: features/gpuFbank.ts.
  fbank: ({ parameters: [, , firstFrame = 0, endFrame = 0], bufferBytes }, fbankFlops) => ({ flops: (endFrame - firstFrame) * fbankFlops, bytes: sum(bufferBytes) }),
  // Order of the parameters: gpu/product.ts.
  product: ({ parameters, bufferBytes, workgroups: [, , numItems] }) => {
    const [numRows = 0, numColumns = 0, , numInputs = 0] = parameters;
    const [outerStride = 0, flags = 0] = [parameters[6], parameters[16]];
    if (flags & POOL) throw new Error('a product with pooling is not counted');
    const [, weightBytes = 0, biasBytes = 0] = bufferBytes;
    // The taps of adjacent rows overlap.
    const inputs = numInputs + (numRows - 1) * Math.min(outerStride, numInputs);
    const outputs = numRows * numColumns * (flags & ACCUMULATE ? 2 : 1);
    return {
      flops: 2 * numItems * numRows * numInputs * numColumns,
      bytes: FLOAT_BYTES * numItems * (inputs + outputs) + weightBytes + biasBytes,
    };
  },
  // Order of the parameters: sortformer/gpuAttention.ts.
  attention: ({ parameters }) => {
    const [numFrames = 0, numKeys = 0, numHeads = 0, , vectors = 0] = parameters;
    const headSize = 4 * vectors;
    const channels = numHeads * headSize;
    return {
      // Scores, and sums of the values.
      flops: 2 * 2 * numFrames * numKeys * channels,
      // Projections, the table of the rotary embedding, and the result.
      bytes: FLOAT_BYTES * numFrames * (3 * channels + headSize + channels),
    };
  },
  layerNorm: ({ parameters: [numChannels = 0], workgroups: [numRows] }) => ({ flops: 0, bytes: FLOAT_BYTES * numChannels * (2 * numRows + 2) }),
  gelu: ({ parameters: [numValues = 0] }) => ({ flops: 0, bytes: FLOAT_BYTES * 2 * numValues }),
  // Order of the parameters: gpu/mapGuard.ts.
  surveyMap: ({ parameters, workgroups: [, numGroups, numItems] }) => {
    const [itemRows = 0, , , firstChannels = 0, groupChannels = 0] = parameters;
    if (itemRows === 0) throw new Error('a check with a table of items is not counted');
    return { flops: 0, bytes: FLOAT_BYTES * numItems * itemRows * (firstChannels + (numGroups - 1) * groupChannels) };
  },
  // It writes only if a map is broken.
  markBroken: () => ({ flops: 0, bytes: FLOAT_BYTES }),
};

/**
 * @param fbankFlops of a mel frame, which the kernel does not receive
 * @throws Error for a kernel whose work is not counted
 */
export function workOfDispatch(dispatch: Dispatch, fbankFlops: number): DispatchWork {
  const count = KERNELS[dispatch.kernel];
  if (!count) throw new Error(`the work of the kernel ${dispatch.kernel} is not counted. Add it to bench/nemotron/dispatchWork.ts`);
  return count(dispatch, fbankFlops);
}
