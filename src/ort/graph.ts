import type * as Ort from 'onnxruntime-web';
import { type GpuContext, gpuMemory, readBack } from '../gpu/context';
import type { TensorSpec } from '../store/manifest';
import { messageOf, VoxlaneError } from '../util/errors';
import type { FileBase } from '../util/fileBase';
import { reasonOf } from './reason';
import { healthy } from '../util/values';
import { loadRuntime, saysOutOfMemory, webgpuProvider } from './runtime';
import { FREE_MEMORY } from '../util/host';

export interface GraphOptions {
  /** Folder of ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; ignored on WebGPU. */
  readonly threads: number;
  /** Device to run on; null for WASM. */
  readonly gpu: GpuContext | null;
}

/** A float32 tensor, row-major. */
export interface FloatTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A float32 tensor, row-major, at the start of a GPU buffer with usages STORAGE, COPY_SRC and COPY_DST. */
interface GpuTensor {
  readonly buffer: GPUBuffer;
  readonly shape: readonly number[];
}

/** Commands on an output that is still on the GPU. */
type OnGpu = (encoder: GPUCommandEncoder, output: GPUBuffer, bytes: number) => void;

/** A model that is ready to run, with one input and one output. */
export interface Graph {
  /**
   * @param input on the CPU or, on WebGPU, already in a GPU buffer, which is not copied
   * @param beforeReadback on WebGPU, adds commands to the submission that copies the output
   * @param instead on WebGPU, the tensor that `beforeReadback` computes from the output. It is copied to the CPU
   *   instead of the output, which stays on the GPU
   * @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`; `gpu-wrong` or `model-output` if the output is
   *   not finite or all zero; `model-invalid` if there is no output
   */
  run(input: FloatTensor | GpuTensor, beforeReadback?: OnGpu, instead?: GpuTensor): Promise<FloatTensor>;
  /**
   * Frees the runtime's memory for this graph, including GPU memory. The WASM heap does not shrink. Do not call the
   * graph afterward.
   */
  release(): Promise<void>;
}

/**
 * Creates an ONNX Runtime session from `bytes`.
 *
 * Each worker holds one session: the runtime's WASM heap belongs to the worker and is freed only when the worker
 * ends.
 *
 * @throws VoxlaneError `backend-failed`
 */
export async function openGraph(
  bytes: Uint8Array,
  tensors: { input: TensorSpec; output: TensorSpec },
  options: GraphOptions,
): Promise<Graph> {
  try {
    return options.gpu ? await openOnGpu(bytes, tensors, options, options.gpu) : await openOnWasm(bytes, tensors, options);
  } catch (cause) {
    throw cause instanceof VoxlaneError ? cause : failed(options.gpu ? 'WebGPU' : 'WASM', cause);
  }
}

type GraphTensors = Parameters<typeof openGraph>[1];

async function openOnWasm(bytes: Uint8Array, tensors: GraphTensors, { runtimeBase, threads }: GraphOptions): Promise<Graph> {
  const ort = await loadRuntime('wasm', { runtimeBase, threads });
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return {
    run: async (input) => {
      if ('buffer' in input) throw failed('WASM', 'it received a GPU tensor');
      const feeds = { [tensors.input.name]: new ort.Tensor('float32', input.data, input.shape) };
      const output = outputOf(await orFailed('WASM', session.run(feeds)), tensors.output);
      return { data: healthy(output.data as Float32Array, tensors.output.name, 'model-output'), shape: output.dims };
    },
    release: () => session.release(),
  };
}

async function openOnGpu(
  bytes: Uint8Array,
  tensors: GraphTensors,
  { runtimeBase, threads }: GraphOptions,
  gpu: GpuContext,
): Promise<Graph> {
  const ort = await loadRuntime('webgpu', { runtimeBase, threads });
  const { device } = gpu;
  const executionProviders = [webgpuProvider(device)];
  const session = await gpu.guard(() =>
    ort.InferenceSession.create(bytes, { executionProviders, preferredOutputLocation: 'gpu-buffer' }),
  );
  return {
    run: (input, beforeReadback, instead) =>
      gpu.guard(async () => {
        const feed =
          'buffer' in input
            ? ort.Tensor.fromGpuBuffer(input.buffer, { dataType: 'float32', dims: input.shape })
            : new ort.Tensor('float32', input.data, input.shape);
        const results = await orFailed('WebGPU', session.run({ [tensors.input.name]: feed }));
        try {
          const output = outputOf(results, tensors.output);
          // Read back here instead of by the runtime, which rounds sizes up and does not accept additional commands.
          const { buffer, shape } = instead ?? { buffer: output.gpuBuffer, shape: output.dims };
          const data = await readBack(device, buffer, bytesOf(shape), (encoder) =>
            beforeReadback?.(encoder, output.gpuBuffer, bytesOf(output.dims)),
          );
          return { data: healthy(data, tensors.output.name, 'gpu-wrong'), shape };
        } finally {
          // All outputs: a graph may have more than one, each in its own buffer.
          for (const output of Object.values(results)) output.dispose();
        }
      }),
    release: () => session.release(),
  };
}

/** Size of a float32 tensor in bytes. */
const bytesOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 4);

async function orFailed<Result>(backend: string, run: Promise<Result>): Promise<Result> {
  try {
    return await run;
  } catch (cause) {
    if (backend === 'WebGPU' && saysOutOfMemory(messageOf(cause))) throw gpuMemory(messageOf(cause));
    throw failed(backend, cause);
  }
}

function outputOf(results: Ort.InferenceSession.ReturnType, { name }: TensorSpec): Ort.Tensor {
  const output = results[name];
  if (output?.type === 'float32') return output;
  throw new VoxlaneError({
    code: 'model-invalid',
    problem: `The graph returned no float32 output named ${name}`,
    expected: 'the output named in its manifest',
    remedy: 'Export the model again with its export.py',
  });
}

function failed(backend: string, cause: unknown): VoxlaneError {
  const remedy =
    backend === 'WebGPU'
      ? 'Run again, or use the backend `wasm`'
      : `Run again with fewer threads. ${FREE_MEMORY}`;
  const problem = [`The ${backend} backend failed`, reasonOf(messageOf(cause))].filter(Boolean).join(': ');
  return new VoxlaneError({ code: 'backend-failed', problem, remedy }, { cause });
}
