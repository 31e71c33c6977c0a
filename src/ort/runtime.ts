import type * as Ort from 'onnxruntime-web';

/** How the runtime is loaded. */
export interface RuntimeOptions {
  /** Address of the ONNX Runtime files, with a slash at its end. */
  readonly runtimeBase: string;
  /** WASM threads; of no meaning on WebGPU. */
  readonly threads: number;
}

/** The runtime's build for a backend. Two builds in one worker do not see each other. */
export async function loadRuntime(backend: 'wasm' | 'webgpu', options: RuntimeOptions): Promise<typeof Ort> {
  if (backend === 'webgpu') {
    const ort = await import('onnxruntime-web/webgpu');
    // One thread: the CPU only feeds the GPU here, and idle threads would spin.
    ort.env.wasm.numThreads = 1;
    setRuntimeFiles(ort, options.runtimeBase, 'ort-wasm-simd-threaded.asyncify');
    return ort;
  }
  // Not the WebGPU build: its asyncify instrumentation slows every CPU kernel.
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = options.threads;
  setRuntimeFiles(ort, options.runtimeBase, 'ort-wasm-simd-threaded');
  return ort;
}

function setRuntimeFiles(ort: typeof Ort, base: string, stem: string): void {
  ort.env.wasm.wasmPaths = {
    mjs: new URL(`${stem}.mjs`, base).href,
    wasm: new URL(`${stem}.wasm`, base).href,
  };
}

/** The WebGPU provider on a device of ours: per session, because `env.webgpu.device` is ignored (microsoft/onnxruntime#26107). */
export const webgpuProvider = (device: GPUDevice): Ort.InferenceSession.ExecutionProviderConfig =>
  ({ name: 'webgpu', device });

/** Whether the runtime, which knows no error types, says that memory could not be had. */
export const saysOutOfMemory = (message: string): boolean => /out of memory|failed to allocate|bad_alloc/i.test(message);

/** Version of the runtime, as it names itself. */
export async function runtimeVersion(): Promise<string> {
  const { env } = await import('onnxruntime-web/wasm');
  return env.versions.web ?? env.versions.common;
}
