import type * as Ort from 'onnxruntime-web';
import { VoxlaneError } from '../util/errors';
import { addressIn, type FileBase } from '../util/fileBase';

/** How the runtime is loaded. */
export interface RuntimeOptions {
  /** Holds ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; of no meaning on WebGPU. */
  readonly threads: number;
}

/** The runtime's build for a backend. Two builds in one worker do not see each other. */
export async function loadRuntime(backend: 'wasm' | 'webgpu', { runtimeBase, threads }: RuntimeOptions): Promise<typeof Ort> {
  if (backend === 'webgpu') {
    const ort = await importRuntime(runtimeBase, 'ort.webgpu.min.mjs');
    // One thread: the CPU only feeds the GPU here, and idle threads would spin.
    ort.env.wasm.numThreads = 1;
    setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded.asyncify');
    return ort;
  }
  // Not the WebGPU build: its asyncify instrumentation slows every CPU kernel.
  const ort = await importRuntime(runtimeBase, 'ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded');
  return ort;
}

/**
 * From where its WASM lies too, and not through a bundler: a worker is one script then, which any page can start, and the
 * runtime, which the models on WASM do without, is fetched only where it runs.
 *
 * @throws VoxlaneError `model-missing`
 */
async function importRuntime(base: FileBase, script: string): Promise<typeof Ort> {
  const address = addressIn(base, script);
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)) as typeof Ort;
  } catch (cause) {
    throw new VoxlaneError(
      {
        code: 'model-missing',
        problem: `ONNX Runtime's script ${address} could not be loaded`,
        expected: 'the folder ort/ of this release at that address',
        remedy: 'Check the connection, the `runtime` option and that the server serves the folder',
      },
      { cause },
    );
  }
}

function setRuntimeFiles(ort: typeof Ort, base: FileBase, stem: string): void {
  ort.env.wasm.wasmPaths = { mjs: addressIn(base, `${stem}.mjs`), wasm: addressIn(base, `${stem}.wasm`) };
}

/** The WebGPU provider on a device of ours: per session, because `env.webgpu.device` is ignored (microsoft/onnxruntime#26107). */
export const webgpuProvider = (device: GPUDevice): Ort.InferenceSession.ExecutionProviderConfig =>
  ({ name: 'webgpu', device });

/** Whether the runtime, which knows no error types, says that memory could not be had. */
export const saysOutOfMemory = (message: string): boolean => /out of memory|failed to allocate|bad_alloc/i.test(message);

/** Version of the runtime, as it names itself. */
export async function runtimeVersion(runtimeBase: FileBase): Promise<string> {
  const { env } = await importRuntime(runtimeBase, 'ort.wasm.min.mjs');
  return env.versions.web ?? env.versions.common;
}
