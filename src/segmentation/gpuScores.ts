import { type Kernel, openKernel, type Program } from '../gpu/program';
import { type Linear, unlike } from './pyannetGraph';
import code from './scores.wgsl?raw';

/** Invocations per workgroup, as in the kernel. */
const THREADS = 64;

/** A classifier in the layout of the kernel. */
interface PackedClassifier {
  /** Axes (input, class), padded with zeros. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** Axes (class), padded with zeros. */
  readonly bias: Float32Array<ArrayBuffer>;
  readonly numInputs: number;
  readonly numClasses: number;
  /** Number of classes with padding. */
  readonly stride: number;
}

/**
 * Pads the weights of a classifier.
 *
 * @throws VoxlaneError `model-invalid` for more classes than a workgroup has invocations
 */
export function packClassifier({ weight, bias }: Linear): PackedClassifier {
  const [numInputs, numClasses] = weight.shape as [number, number];
  const stride = 2 ** Math.ceil(Math.log2(Math.max(numClasses, 8)));
  if (stride > THREADS || bias.length !== numClasses) throw unlike(`its classifier has weights of the shape ${weight.shape.join(' × ')}`);
  const weights = new Float32Array(numInputs * stride);
  for (let input = 0; input < numInputs; input++) {
    weights.set(weight.data.subarray(input * numClasses, (input + 1) * numClasses), input * stride);
  }
  const biases = new Float32Array(stride);
  biases.set(bias);
  return { weights, bias: biases, numInputs, numClasses, stride };
}

/** Computes log-probabilities on the CPU: the reference for the kernel. `input` has the axes (row, input), the result (row, class). */
export function computeScores({ weights, bias, numInputs, numClasses, stride }: PackedClassifier, input: Float32Array): Float32Array {
  const numRows = input.length / numInputs;
  const scores = new Float32Array(numRows * numClasses);
  for (let row = 0; row < numRows; row++) {
    const own = Array.from({ length: numClasses }, (_, column) => {
      let sum = bias[column]!;
      for (let k = 0; k < numInputs; k++) sum += input[row * numInputs + k]! * weights[k * stride + column]!;
      return sum;
    });
    const greatest = Math.max(...own);
    const total = own.reduce((sum, value) => sum + Math.exp(value - greatest), 0);
    scores.set(own.map((value) => value - greatest - Math.log(total)), row * numClasses);
  }
  return scores;
}

/** The kernel with a classifier's weights on the GPU. */
export class GpuScores {
  private constructor(
    private readonly kernel: Kernel,
    private readonly packed: Pick<PackedClassifier, 'numInputs' | 'numClasses' | 'stride'>,
    private readonly weights: GPUBuffer,
    private readonly bias: GPUBuffer,
  ) {}

  /**
   * @param upload copies an array to a new buffer
   * @throws VoxlaneError `backend-failed` if the kernel does not compile
   */
  static async open(device: GPUDevice, packed: PackedClassifier, upload: (values: Float32Array<ArrayBuffer>) => GPUBuffer): Promise<GpuScores> {
    const read = 'read-only-storage';
    const source = { label: 'scores', code, buffers: [read, read, read, 'storage'], constants: { CLASSES: packed.stride } } as const;
    return new GpuScores(await openKernel(device, source), packed, upload(packed.weights), upload(packed.bias));
  }

  /** Adds the scores of `numRows` rows to a program. */
  add(program: Program, { input, numRows, out }: { readonly input: GPUBuffer; readonly numRows: number; readonly out: GPUBuffer }): void {
    const { numInputs, numClasses, stride } = this.packed;
    program.add(this.kernel, [input, this.weights, this.bias, out], [numRows, numInputs, numClasses], [Math.ceil(numRows / (THREADS / stride))]);
  }

  destroy(): void {
    this.weights.destroy();
    this.bias.destroy();
  }
}
