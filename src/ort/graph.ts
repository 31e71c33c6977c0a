import type * as Ort from 'onnxruntime-web';
import { describeAdapter, requestAdapter, requestDevice } from '../gpu/adapter';
import type { TensorFact } from '../store/manifest';
import { messageOf, VoxlaneError } from '../util/errors';

export interface GraphOptions {
  readonly backend: 'webgpu' | 'wasm';
  /** Address of the ONNX Runtime files, with a slash at its end. */
  readonly runtimeBase: string;
  /** WASM threads; of no meaning on WebGPU. */
  readonly threads: number;
}

/** A float32 tensor, row-major. */
export interface FloatTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A model that is ready to run, with one input and one output. */
export interface Graph {
  /** GPU adapter that it runs on; null on WASM. */
  readonly adapter: string | null;
  /** @throws VoxlaneError `backend-failed`, `model-output` where the output has the wrong size or is not finite */
  run(input: FloatTensor): Promise<FloatTensor>;
}

/**
 * Makes an ONNX Runtime session of `bytes`.
 *
 * Each worker holds one: the runtime's WASM heap belongs to a worker and is only freed with it.
 *
 * @throws VoxlaneError `backend-unavailable` or `backend-failed`
 */
export async function openGraph(
  bytes: Uint8Array,
  facts: { input: TensorFact; output: TensorFact },
  options: GraphOptions,
): Promise<Graph> {
  try {
    const { ort, executionProvider, adapter, lost } =
      options.backend === 'webgpu' ? await openWebGpu(options) : await openWasm(options);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: [executionProvider] });
    return {
      adapter,
      run: async ({ data, shape }) => {
        const feeds = { [facts.input.name]: new ort.Tensor('float32', data, shape) };
        // After a lost device the runtime resolves with garbage instead of rejecting.
        const results = await Promise.race([runSession(session, feeds, options.backend), lost]);
        return checked(results[facts.output.name], facts.output);
      },
    };
  } catch (cause) {
    throw cause instanceof VoxlaneError ? cause : backendFailed(options.backend, cause);
  }
}

async function runSession(session: Ort.InferenceSession, feeds: Ort.InferenceSession.FeedsType, backend: string) {
  try {
    return await session.run(feeds);
  } catch (cause) {
    throw backendFailed(backend, cause);
  }
}

interface OpenRuntime {
  readonly ort: typeof Ort;
  readonly executionProvider: Ort.InferenceSession.ExecutionProviderConfig;
  readonly adapter: string | null;
  /** Rejects when the device is lost; otherwise never settles. */
  readonly lost: Promise<never>;
}

async function openWasm({ runtimeBase, threads }: GraphOptions): Promise<OpenRuntime> {
  // Not the WebGPU build: its asyncify instrumentation slows every CPU kernel.
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = threads;
  setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded');
  return { ort, executionProvider: 'wasm', adapter: null, lost: new Promise(() => undefined) };
}

async function openWebGpu({ runtimeBase }: GraphOptions): Promise<OpenRuntime> {
  const adapter = await requestAdapter();
  if (!adapter) {
    throw new VoxlaneError({
      code: 'backend-unavailable',
      problem: 'This browser offers no WebGPU adapter',
      expected: 'a GPU and driver that the browser allows for WebGPU',
      remedy: 'Take the backend `auto` or `wasm`',
    });
  }
  const ort = await import('onnxruntime-web/webgpu');
  // One thread: the CPU only feeds the GPU here, and idle threads would spin.
  ort.env.wasm.numThreads = 1;
  setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded.asyncify');
  const device = await requestDevice(adapter);
  const lost = device.lost.then(({ message }) => {
    throw backendFailed('webgpu', new Error(message || 'the GPU device was lost'));
  });
  // A loss while nothing runs is reported by the next run, not as an unhandled rejection.
  lost.catch(() => undefined);
  return {
    ort,
    // Per session, because `env.webgpu.device` is ignored (microsoft/onnxruntime#26107).
    executionProvider: { name: 'webgpu', device } as Ort.InferenceSession.WebGpuExecutionProviderOption,
    adapter: describeAdapter(adapter).name,
    lost,
  };
}

function setRuntimeFiles(ort: typeof Ort, base: string, stem: string): void {
  ort.env.wasm.wasmPaths = {
    mjs: new URL(`${stem}.mjs`, base).href,
    wasm: new URL(`${stem}.wasm`, base).href,
  };
}

function checked(tensor: Ort.Tensor | undefined, fact: TensorFact): FloatTensor {
  if (!(tensor?.data instanceof Float32Array)) {
    throw new VoxlaneError({
      code: 'model-invalid',
      problem: `The graph gave no float32 output named ${fact.name}`,
      expected: 'the output that its manifest names',
      remedy: 'Export the model again with its export.py',
    });
  }
  if (tensor.data.some((value) => !Number.isFinite(value))) {
    throw new VoxlaneError({
      code: 'model-output',
      problem: `The model output ${fact.name} holds NaN or infinite values`,
      expected: 'finite numbers',
      remedy: 'The backend computes wrongly on this machine: take the backend `wasm`',
    });
  }
  return { data: tensor.data, shape: tensor.dims };
}

function backendFailed(backend: string, cause: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'backend-failed',
      problem: `The ${backend === 'webgpu' ? 'WebGPU' : 'WASM'} backend failed: ${messageOf(cause)}`,
      remedy:
        backend === 'webgpu'
          ? 'Run again, or take the backend `wasm`'
          : 'Run again with fewer threads, or close other tabs to free memory',
    },
    { cause },
  );
}
