import type { FloatTensor, Graph } from './graph';
import type { TensorSpec } from '../store/manifest';
import { healthy } from '../util/values';
import type { Kernels } from '../nn/kernels';

/**
 * Called with each named value of the graph, axes (batch, channel, frame), (batch, frame, channel) or (batch, channel).
 * The network continues with the returned value, which must have the same shape, or with its own value if nothing is returned.
 */
export type OnValue = (name: string, value: FloatTensor) => FloatTensor | undefined;

/** A network on the kernels, which runs in place of an ONNX Runtime session of the same file. */
export abstract class KernelGraph implements Graph {
  protected abstract readonly kernels: Kernels;

  protected constructor(protected readonly output: TensorSpec) {}

  /** Computes the output without a check. */
  abstract trace(input: FloatTensor): FloatTensor;

  /** The error for an input in a GPU buffer. */
  protected abstract refuseGpuTensor(): Error;

  /** Bytes of the weights and the memory for the largest input so far. */
  get heapBytes(): number {
    return this.kernels.heap.bytes;
  }

  /** Does nothing, because the heap is garbage-collected with this object. */
  release(): Promise<void> {
    return Promise.resolve();
  }

  /** Like {@link compute}, with the signature of a session. */
  run(input: Parameters<Graph['run']>[0]): Promise<FloatTensor> {
    return Promise.resolve().then(() => {
      if ('buffer' in input) throw this.refuseGpuTensor();
      return this.compute(input);
    });
  }

  /**
   * The output for an input, both with the axes that {@link trace} has.
   *
   * @throws VoxlaneError `model-output` if the output is not finite or all zero, `backend-failed` without memory
   */
  compute(input: FloatTensor): FloatTensor {
    const { data, shape } = this.trace(input);
    return { data: healthy(data, this.output.name, 'model-output'), shape };
  }
}
