import { setFlagsFromString } from 'node:v8';

/**
 * V8 optimizes a WebAssembly function after it has executed this many bytes; by default 1.8 million. The functions of ONNX Runtime's
 * build for WebGPU are so large that this takes a minute, for which the process cannot end. They only feed the GPU.
 */
const TIERING_BUDGET = 200_000_000;

/** Prepares V8 for ONNX Runtime's build for WebGPU. Call it before the build is loaded. */
export function delayTiering(): void {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
}
