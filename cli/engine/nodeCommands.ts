/** The work of the commands in the build for Node. Not exported by the package. */
import { setFlagsFromString } from 'node:v8';
import { requestAdapter } from '../../src/gpu/adapter';
import { findGpu } from '../../src/util/host';

export { Comparator } from '../../src/engine/comparator';
export { bisectFiles, compareFiles, listFiles, roundFiles } from './comparisons';
export { computeStage } from './stages';

/**
 * V8 optimizes a WebAssembly function after it has executed this many bytes; by default 1.8 million. The functions of ONNX Runtime's
 * build for WebGPU are so large that this takes a minute, for which the process cannot end. They only feed the GPU.
 */
const TIERING_BUDGET = 200_000_000;

/** What WebGPU lacks here: the package `webgpu`, or a hardware adapter. Null if it can run; then this prepares V8 for it. */
export async function missingForGpu(): Promise<'package' | 'adapter' | null> {
  if (!(await findGpu())) return 'package';
  if (!(await requestAdapter())) return 'adapter';
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  return null;
}
