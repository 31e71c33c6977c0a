import { gpuMemory, type GpuContext } from '../gpu/context';
import { messageOf, VoxlaneError } from '../util/errors';
import type { ExactValues } from '../util/exactValues';
import type { FileBase } from '../util/fileBase';
import { opsetOf } from '../onnx/model';
import { reasonOf } from './reason';
import { loadRuntime, saysOutOfMemory, webgpuProvider } from './runtime';
import { exactFromRuntime, fromRuntime, toRuntimeArray } from './values';
import { versionProblem } from './versions';

/** A value of a graph, row-major: float32 whatever the graph's own type is, and in its own type if float32 rounds any value. */
export interface SessionTensor {
  readonly data: Float32Array;
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type: `float32`, `int64` … */
  readonly dtype: string;
}

/** What an input is fed with. */
export interface Feed {
  readonly data: Float32Array;
  /** The same without rounding; takes the place of `data`. */
  readonly exact?: ExactValues;
  readonly shape: readonly number[];
  /** The graph's type of this input. */
  readonly dtype: string;
}

/** Any graph, ready to run. Unlike a `Graph`, it takes and gives any number of values and judges none of them. */
export interface Session {
  readonly outputNames: readonly string[];
  /** @throws VoxlaneError `backend-failed`, `gpu-lost`, `gpu-memory`, `options`, `model-output` */
  run(feeds: ReadonlyMap<string, Feed>): Promise<Map<string, SessionTensor>>;
  /** Frees what the runtime holds for this graph; its heap does not shrink. */
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Holds ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; of no meaning on WebGPU. */
  readonly threads: number;
  /** Device to run on; null for WASM. */
  readonly gpu: GpuContext | null;
}

/**
 * Opens any ONNX graph.
 *
 * Sessions of one worker must be made one after another, and run one at a time: the runtime asks for it.
 *
 * @throws VoxlaneError `backend-failed` with the reason if it is known, `gpu-lost`, `gpu-memory`
 */
export async function openSession(bytes: Uint8Array, options: SessionOptions): Promise<Session> {
  const { gpu } = options;
  const guard = <Result>(work: () => Promise<Result>): Promise<Result> => (gpu ? gpu.guard(work) : work());
  const ort = await loadRuntime(gpu ? 'webgpu' : 'wasm', options);
  const provider = gpu ? webgpuProvider(gpu.device) : 'wasm';
  const failed = describeFailure(gpu !== null, bytes);
  const session = await guard(() =>
    ort.InferenceSession.create(bytes, { executionProviders: [provider] }).catch(failed('make a session of this graph')),
  );
  return {
    outputNames: session.outputNames,
    run: (feeds) =>
      guard(async () => {
        const tensors = Object.fromEntries(
          Array.from(feeds, ([name, { data, exact, shape, dtype }]) => [
            name,
            new ort.Tensor(dtype as 'float32', toRuntimeArray(dtype, exact ?? data, name) as Float32Array, shape),
          ]),
        );
        const results = await session.run(tensors).catch(failed('run this graph'));
        return new Map(
          Object.entries(results).map(([name, tensor]) => {
            const data = fromRuntime(tensor, name);
            return [name, { data, ...exactFromRuntime(tensor, data), shape: tensor.dims, dtype: tensor.type }];
          }),
        );
      }),
    release: () => session.release(),
  };
}

const describeFailure = (onGpu: boolean, graph: Uint8Array) => (deed: string) => (cause: unknown): never => {
  const message = messageOf(cause);
  if (onGpu && saysOutOfMemory(message)) throw gpuMemory(message);
  const version = versionProblem(message, () => opsetOf(graph));
  throw new VoxlaneError(
    {
      code: 'backend-failed',
      problem: [`${onGpu ? 'WebGPU' : 'WASM'} could not ${deed}`, version?.reason ?? reasonOf(message)].filter(Boolean).join(': '),
      expected: version?.expected ?? 'operators and types that this backend has, and inputs of the shapes that the graph wants',
      remedy: version?.remedy ?? 'Try the other backend. The details give the message of the runtime',
    },
    { cause },
  );
};
