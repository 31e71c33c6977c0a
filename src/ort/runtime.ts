import type * as Ort from 'onnxruntime-web';
import { VoxlaneError } from '../util/errors';
import { addressIn, type FileBase } from '../util/fileBase';

/** Options for loading the runtime. */
export interface RuntimeOptions {
  /** Folder of ONNX Runtime's files. */
  readonly runtimeBase: FileBase;
  /** WASM threads; ignored on WebGPU. */
  readonly threads: number;
}

/** Loads the runtime's build for a backend. Two builds can coexist in one worker. */
export async function loadRuntime(backend: 'wasm' | 'webgpu', { runtimeBase, threads }: RuntimeOptions): Promise<typeof Ort> {
  if (backend === 'webgpu') {
    const ort = await importRuntime(runtimeBase, 'ort.webgpu.min.mjs');
    // One thread: here the CPU only feeds the GPU, and idle threads would spin.
    ort.env.wasm.numThreads = 1;
    setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded.asyncify');
    return ort;
  }
  // Not the WebGPU build, because its asyncify instrumentation slows every CPU kernel.
  const ort = await importRuntime(runtimeBase, 'ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  setRuntimeFiles(ort, runtimeBase, 'ort-wasm-simd-threaded');
  return ort;
}

/**
 * Loads the script from the folder of its WASM file, without a bundler. Therefore, a worker is one script that any
 * page can start, and models that run on our own kernels do not fetch the runtime.
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

/**
 * The WebGPU provider on our device, per session, because `env.webgpu.device` is ignored
 * (microsoft/onnxruntime#26107).
 */
export const webgpuProvider = (device: GPUDevice): Ort.InferenceSession.ExecutionProviderConfig =>
  ({ name: 'webgpu', device });

/** Whether a message of the runtime reports a failed allocation. The runtime has no error types. */
export const saysOutOfMemory = (message: string): boolean => /out of memory|failed to allocate|bad_alloc/i.test(message);

/** The runtime's own version string. */
export async function runtimeVersion(runtimeBase: FileBase): Promise<string> {
  const { env } = await importRuntime(runtimeBase, 'ort.wasm.min.mjs');
  return env.versions.web ?? env.versions.common;
}
